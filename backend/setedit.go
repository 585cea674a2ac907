package backend

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// SetEdit is a set within an Edit. Adding and removing are idempotent: an element that
// is there already, or is not, fails nothing, and the count says so. An element that
// has an error, is of another key, or is of a family that the table is not for fails
// the Edit, as does an overlap in a set that is Disjoint.
type SetEdit struct {
	e  *Edit
	id table.ID
	s  *editSet
}

// editSet is a set being edited. content is nil until somebody asks for an element.
type editSet struct {
	set.Set
	from    table.Table // the table that it was read with; the zero value: it is made
	keep    bool
	content *set.Content
	changed bool
}

func newEditSet(t table.Table, s set.Set) *editSet {
	kept, _ := t.SetKept(s.Name)
	return &editSet{Set: s, from: t, keep: kept}
}

// in is a table with the set.
func (s *editSet) in(t table.Table) table.Table {
	if s.changed {
		return t.WithContent(s.Set, s.keep, s.content)
	}
	return t.WithSetOf(s.from, s.Name)
}

func (t *editTable) set(name string) *editSet {
	if t == nil {
		return nil
	}
	for _, s := range t.sets {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Set is a set of the table's own to edit; it is made, as s says, when it is
// missing, and then lives by edits as with Table.WithSets. One that is there must have
// s's key; what else s says of it is not looked at: Apply can change it.
func (e *Edit) Set(id table.ID, s set.Set) *SetEdit {
	t := e.table(id)
	if have := t.set(s.Name); have != nil {
		if have.Key != s.Key {
			e.failSet("edit set", id, s.Name, set.Element{}, fmt.Errorf("%w: its key is %v, not %v", ErrInvalid, have.Key, s.Key))
		}
		return &SetEdit{e, id, have}
	}
	if err := s.Err(); err != nil {
		e.failSet("add set", id, s.Name, set.Element{}, fmt.Errorf("%w: %w", ErrInvalid, err))
		return &SetEdit{e, id, nil}
	}
	if t == nil {
		t = &editTable{id: id}
		e.tables = append(e.tables, t)
	}
	made := &editSet{Set: s, keep: true, content: set.NewContent(s), changed: true}
	t.sets = append(t.sets, made)
	return &SetEdit{e, id, made}
}

// Sets are the sets of a table, as this Edit has left them, by name.
func (e *Edit) Sets(id table.ID) iter.Seq[set.Set] {
	var out []set.Set
	if t := e.table(id); t != nil {
		for _, s := range t.sets {
			out = append(out, s.Set)
		}
	}
	slices.SortFunc(out, func(a, b set.Set) int { return strings.Compare(a.Name, b.Name) })
	return slices.Values(out)
}

// DestroySet takes a set away with its elements; fs.ErrNotExist if it is not there,
// ErrInUse at the end if a rule still looks it up.
func (e *Edit) DestroySet(id table.ID, name string) {
	if !e.DestroySetIfExists(id, name) {
		e.failSet("delete set", id, name, set.Element{}, notThere("set"))
	}
}

// DestroySetIfExists is DestroySet that does not mind, and says whether it was there.
func (e *Edit) DestroySetIfExists(id table.ID, name string) bool {
	t := e.table(id)
	s := t.set(name)
	if s == nil {
		return false
	}
	e.gone = append(e.gone, &SetEdit{e, id, s})
	t.sets = slices.DeleteFunc(t.sets, func(x *editSet) bool { return x == s })
	return true
}

// setsInUse is the error of a set that was taken away while a rule still looks it up.
func (e *Edit) setsInUse() error {
	for _, gone := range e.gone {
		t := e.table(gone.id)
		if t.set(gone.s.Name) != nil {
			continue // made anew since
		}
		for _, c := range t.chains {
			for i, r := range c.rules {
				if table.UsesSet(r.Rule, gone.s.Name) {
					return setError("delete set", gone.id, gone.s.Name, ErrInUse, "%s rule %d still looks it up: %v", c.name, i+1, r.Rule)
				}
			}
		}
	}
	return nil
}

// failSet keeps the first error.
func (e *Edit) failSet(op string, id table.ID, name string, elem set.Element, err error) {
	if e.err != nil {
		return
	}
	be := &Error{Op: op, Table: id, Set: name, Err: err}
	if elem.Err() == nil {
		be.Text = elem.String()
	}
	e.err = be
}

// open is the content, read when it is first asked for; nil, and the edit has
// failed, where it cannot be.
func (s *SetEdit) open() *set.Content {
	if s.s == nil || s.e.err != nil {
		return nil
	}
	if s.s.content != nil {
		return s.s.content
	}
	t, err := s.e.load(s.id, s.s.Name)
	if err != nil {
		s.e.err = err
		return nil
	}
	c := set.NewContent(s.s.Set)
	if err := c.Fill(slices.Collect(t.Elements(s.s.Name))); err != nil {
		s.e.failSet("read set", s.id, s.s.Name, set.Element{}, err)
		return nil
	}
	s.s.content, s.s.from = c, t
	return c
}

// fits checks elements for a verb that changes the set.
func (s *SetEdit) fits(op string, es []set.Element) bool {
	for _, e := range es {
		if err := e.Fits(s.s.Key, s.id.Family()); err != nil {
			s.e.failSet(op, s.id, s.s.Name, e, fmt.Errorf("%w: %w", ErrInvalid, err))
			return false
		}
	}
	return true
}

// Add puts elements in and returns how many were not there. One that is there gets the
// new timeout, which starts again, and the new comment.
func (s *SetEdit) Add(es ...set.Element) (n int) {
	c := s.open()
	if c == nil || !s.fits("add element", es) {
		return 0
	}
	s.s.changed = s.s.changed || len(es) > 0
	if c.Len() == 0 && len(es) > 1 && s.s.from.SetLen(s.s.Name) == 0 {
		if err := c.Fill(es); err != nil {
			s.e.failSet("add element", s.id, s.s.Name, set.Element{}, err)
		}
		return c.Len()
	}
	for _, e := range es {
		added, err := c.Add(e)
		if err != nil {
			s.e.failSet("add element", s.id, s.s.Name, e, err)
			return n
		}
		if added {
			n++
		}
	}
	return n
}

// Remove takes elements out and returns how many were there. Of a set that merges,
// any part of a range can be removed, and is there if some of it is.
func (s *SetEdit) Remove(es ...set.Element) (n int) {
	c := s.open()
	if c == nil || !s.fits("delete element", es) {
		return 0
	}
	for _, e := range es {
		if c.Remove(e) {
			s.s.changed = true
			n++
		}
	}
	return n
}

// Set makes the elements exactly es, by the smallest difference; what stays keeps
// its counters and its time.
func (s *SetEdit) Set(es ...set.Element) {
	if s.open() == nil || !s.fits("set elements", es) {
		return
	}
	c := set.NewContent(s.s.Set)
	if err := c.Fill(es); err != nil {
		s.e.failSet("set elements", s.id, s.s.Name, set.Element{}, err)
		return
	}
	s.s.content, s.s.changed = c, true
}

// Has says whether this very element is in, or, in a set that merges, whether all of
// it is.
func (s *SetEdit) Has(e set.Element) bool {
	c := s.open()
	return c != nil && e.Fits(s.s.Key, s.id.Family()) == nil && c.Covers(e)
}

// Elements yields the elements with time left and counters, as this Edit has left them.
func (s *SetEdit) Elements() iter.Seq[set.Element] {
	if c := s.open(); c != nil {
		return c.All()
	}
	return func(func(set.Element) bool) {}
}

// Len is how many elements there are.
func (s *SetEdit) Len() int {
	if c := s.open(); c != nil {
		return c.Len()
	}
	return 0
}
