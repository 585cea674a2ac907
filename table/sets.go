package table

import (
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// tableSet is a set of a table's. Immutable.
type tableSet struct {
	set.Set
	keep    bool // elements come and go by edits
	edited  bool // this is one: they are to be exactly content, though keep
	content *set.Content
	err     error
}

// WithSet is the table with a set that has exactly these elements, none included;
// Apply sees to it. Where ranges overlap they are merged, unless the set is
// Disjoint. What is wrong with an element is Err's to say.
func (t Table) WithSet(s set.Set, elements ...set.Element) Table {
	return t.withSet(newTableSet(t.id.Family(), s, false, elements))
}

// WithSets is the table with sets whose elements come and go by Edit; Apply makes
// them when they are missing, and leaves their elements alone.
func (t Table) WithSets(sets ...set.Set) Table {
	for _, s := range sets {
		t = t.withSet(newTableSet(t.id.Family(), s, true, nil))
	}
	return t
}

// WithKept is WithSets for a set that has these elements when it is made.
func (t Table) WithKept(s set.Set, elements ...set.Element) Table {
	return t.withSet(newTableSet(t.id.Family(), s, true, elements))
}

func newTableSet(f nf.Family, s set.Set, keep bool, elements []set.Element) tableSet {
	ts := tableSet{Set: s, keep: keep, content: set.NewContent(s)}
	if ts.err = s.Err(); ts.err != nil {
		return ts
	}
	for _, e := range elements {
		if ts.err = e.Fits(s.Key, f); ts.err != nil {
			return ts
		}
	}
	ts.err = ts.content.Fill(elements)
	return ts
}

func (t Table) withSet(s tableSet) Table {
	i, ok := t.findSet(s.Name)
	t.sets = slices.Clone(t.sets)
	if ok {
		t.sets[i] = s
		return t
	}
	t.sets = slices.Insert(t.sets, i, s)
	return t
}

func (t Table) findSet(name string) (int, bool) {
	return slices.BinarySearchFunc(t.sets, name, func(s tableSet, name string) int { return strings.Compare(s.Name, name) })
}

// WithoutSet is the table without the set of that name.
func (t Table) WithoutSet(name string) Table {
	if i, ok := t.findSet(name); ok {
		t.sets = slices.Delete(slices.Clone(t.sets), i, i+1)
	}
	return t
}

// Sets yields the sets by name.
func (t Table) Sets() iter.Seq[set.Set] {
	return func(yield func(set.Set) bool) {
		for _, s := range t.sets {
			if !yield(s.Set) {
				return
			}
		}
	}
}

// Set returns the set of that name; kept says that its elements come and go by edits.
func (t Table) Set(name string) (s set.Set, kept, ok bool) {
	i, ok := t.findSet(name)
	if !ok {
		return s, false, false
	}
	return t.sets[i].Set, t.sets[i].keep, true
}

// Elements yields the elements of the set of that name, ascending, IPv4 first: those
// that it is to have, or, of a table that was read, those that it had.
func (t Table) Elements(name string) iter.Seq[set.Element] {
	i, ok := t.findSet(name)
	if !ok {
		return func(func(set.Element) bool) {}
	}
	return t.sets[i].content.All()
}

// Entries is Elements for the pipeline: it says of each whether its time starts again.
func (t Table) Entries(name string) iter.Seq2[set.Element, bool] {
	i, ok := t.findSet(name)
	if !ok {
		return func(func(set.Element, bool) bool) {}
	}
	return t.sets[i].content.Entries()
}

// WithContent is WithSet for an Edit, which has checked the elements; keep is
// WithSets'. content must not change any more.
func (t Table) WithContent(s set.Set, keep bool, content *set.Content) Table {
	return t.withSet(tableSet{Set: s, keep: keep, edited: true, content: content})
}

// WithSetOf is the table with the set of that name as another table has it.
func (t Table) WithSetOf(u Table, name string) Table {
	if i, ok := u.findSet(name); ok {
		return t.withSet(u.sets[i])
	}
	return t
}

// SetKept says of the set of that name whether its elements come and go by edits, and
// whether this is one. For the pipeline, not for callers.
func (t Table) SetKept(name string) (kept, edited bool) {
	i, ok := t.findSet(name)
	return ok && t.sets[i].keep, ok && t.sets[i].edited
}

// SetLen is how many elements the set of that name has.
func (t Table) SetLen(name string) int {
	if i, ok := t.findSet(name); ok {
		return t.sets[i].content.Len()
	}
	return 0
}

// setsFor are the sets as family f alone sees them.
func (t Table) setsFor(f nf.Family) []tableSet {
	var out []tableSet
	for _, s := range t.sets {
		var elements []set.Element
		for e := range s.content.All() {
			if _, ok := e.Family().And(f); ok {
				elements = append(elements, e)
			}
		}
		next := newTableSet(f, s.Set, s.keep, elements)
		if s.err != nil {
			next.err = s.err
		}
		out = append(out, next)
	}
	return out
}

// equal says whether two sets are described alike and, where neither is kept, have
// elements that are.
func (s tableSet) equal(o tableSet) bool {
	if s.Set != o.Set || s.keep != o.keep {
		return false
	}
	if s.keep {
		return true
	}
	next, stop := iter.Pull(o.content.All())
	defer stop()
	if s.content.Len() != o.content.Len() {
		return false
	}
	for e := range s.content.All() {
		if f, ok := next(); !ok || !e.Equal(f) {
			return false
		}
	}
	return true
}

// checkSets reports what is wrong with the sets themselves.
func (c *checker) checkSets() {
	for _, s := range c.t.sets {
		if s.err != nil {
			c.errs = append(c.errs, &Error{Table: c.t.id, Set: s.Name, Err: s.err})
		}
	}
}

// own checks the set that a rule looks up.
func (c *checker) own(i, n int, m match.Own) {
	name, _, _ := m.Set.Get()
	s, _, ok := c.t.Set(name)
	switch {
	case !ok:
		c.fail(i, n, m.Name(), fmt.Errorf("set %s: %w", name, fs.ErrNotExist))
	case !s.Key.Takes(m.By):
		c.fail(i, n, m.Name(), fmt.Errorf("%w %s: %v, and the rule looks for %v", ErrKey, name, s.Key, m.By))
	}
}

// UsesSet says whether a rule looks up the set of that name.
func UsesSet(r rule.Rule, name string) bool {
	for m := range r.Matches() {
		if o, ok := m.(match.Own); ok {
			if s, _, _ := o.Set.Get(); s == name {
				return true
			}
		}
	}
	return false
}
