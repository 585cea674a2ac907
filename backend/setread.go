package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// needed chooses, of sets of one's own, those whose elements are to be read.
type needed func(id table.ID, s set.Set) bool

// noElements chooses none: what an Edit needs it reads when it asks for it.
func noElements(table.ID, set.Set) bool { return false }

// exactly chooses the sets that a ruleset has the elements of.
func exactly(rs table.Ruleset) needed {
	return func(id table.ID, s set.Set) bool {
		for _, f := range [...]nf.Family{nf.Both, nf.IPv4, nf.IPv6} {
			if t, ok := rs.Table(id.For(f)); ok {
				if _, kept, ok := t.Set(s.Name); ok && !kept {
					return true
				}
			}
		}
		return false
	}
}

// chosen is a choice in the driver's terms. Sets that are not ours are always read.
func (f *Firewall) chosen(need needed) func(*program.Table, *program.Set) bool {
	return func(t *program.Table, p *program.Set) bool {
		s, ours := ownSet(t, p)
		id, _ := compile.Owned(t.Family, t.Name, f.opts)
		return !ours || need(id, s)
	}
}

// ownSet says what set of one's own a kernel's set is.
func ownSet(t *program.Table, p *program.Set) (set.Set, bool) {
	s, _, ok, _ := compile.OwnSetOf(p, t.Family)
	return s, ok
}

// load reads the elements of one set into a state, and is the table with them.
func (f *Firewall) load(ctx context.Context, op string, st *state, id table.ID, name string) (table.Table, error) {
	unread := false
	this := func(t *program.Table, p *program.Set) bool {
		s, ours := ownSet(t, p)
		return ours && s.Name == name && f.half(t, id)
	}
	for _, t := range st.raw.Tables {
		for _, p := range t.Sets {
			unread = unread || p.Unread && this(t, p)
		}
	}
	if unread {
		got, err := f.drv.Read(ctx, driver.Scope{
			Table: func(fam program.Family, name string) bool { return f.owned(fam, name) }, Bare: true, Elements: this,
		})
		if err != nil {
			return table.Table{}, f.driverError(op, err)
		}
		if !take(st.raw, got.Program, this) {
			return table.Table{}, errStale
		}
		st.remodel()
	}
	t, _ := st.rules().Table(id)
	return t, nil
}

// half says whether an nf_tables table is one, or a half of one.
func (f *Firewall) half(t *program.Table, id table.ID) bool {
	own, ok := compile.Owned(t.Family, t.Name, f.opts)
	_, shares := own.Family().And(id.Family())
	return ok && shares && own.Name() == id.Name()
}

// take puts elements that were read later into a program; false where the sets are
// others by then.
func take(into, from *program.Program, this func(*program.Table, *program.Set) bool) bool {
	for _, t := range into.Tables {
		for i, p := range t.Sets {
			if !p.Unread || !this(t, p) {
				continue
			}
			u := from.Table(t.Family, t.Name)
			if u == nil {
				return false
			}
			q := u.Set(p.Name)
			if q == nil || q.Handle != p.Handle {
				return false
			}
			t.Sets[i] = q
		}
	}
	return true
}

// looked chooses the sets whose elements the plan was made of.
func (p *Plan) looked(t *program.Table, s *program.Set) bool {
	if _, ours := ownSet(t, s); !ours {
		return true
	}
	old := p.have.Table(t.Family, t.Name)
	return old != nil && old.Set(s.Name) != nil && !old.Set(s.Name).Unread
}

// sameElements says whether sets that were read with their elements still have those.
func sameElements(was, now *program.Table) bool {
	for _, s := range was.Sets {
		if _, ours := ownSet(was, s); !ours || s.Unread {
			continue
		}
		t := now.Set(s.Name)
		if t == nil || t.Unread || !maps.Equal(written(s), written(t)) {
			return false
		}
	}
	return true
}

// written is what somebody wrote into a set: no counts, and no time that passed.
func written(s *program.Set) map[program.Element]bool {
	out := make(map[program.Element]bool, len(s.Elements))
	for _, e := range s.Elements {
		e.Packets, e.Bytes, e.Left = 0, 0, 0
		out[e] = true
	}
	return out
}

// expired says whether a refusal is about elements that went, or came, though nobody
// committed: their time was over.
func expired(ops []driver.Op, err error) bool {
	var refused *driver.CommitError
	if !errors.As(err, &refused) {
		return false
	}
	for _, fail := range refused.Failures {
		if fail.Op < 0 || fail.Op >= len(ops) || !errors.Is(fail.Err, fs.ErrNotExist) {
			return false
		}
		if op := ops[fail.Op]; op.Kind != driver.DeleteElements || op.Set.Flags&program.SetTimeout == 0 {
			return false
		}
	}
	return true
}

// fill changes what sets in force hold where the switch had no room for it.
func (f *Firewall) fill(ctx context.Context, p *Plan) error {
	for _, ops := range p.delta.Filling() {
		if err := f.drv.Commit(ctx, driver.Batch{Ops: ops}); err != nil {
			if expired(ops, err) {
				return errStale
			}
			return f.commitError(p, ops, err)
		}
	}
	return nil
}

// Elements yields a set's elements with time left and counters, in bounded memory
// where they are addresses; fs.ErrNotExist where there is no such set, or it is not of that key. Where somebody
// changes the set meanwhile some may be missing or come twice: Read and Edit see all
// of one moment.
func (f *Firewall) Elements(ctx context.Context, id table.ID, s set.Set) iter.Seq2[set.Element, error] {
	return func(yield func(set.Element, error) bool) {
		err := f.elements(ctx, id, s, func(e set.Element) bool { return yield(e, nil) })
		if err != nil && !errors.Is(err, errEnough) {
			yield(set.Element{}, err)
		}
	}
}

// errEnough says that the loop was left.
var errEnough = errors.New("enough")

func (f *Firewall) elements(ctx context.Context, id table.ID, s set.Set, yield func(set.Element) bool) error {
	scope := f.scope(func(*program.Table, *program.Set) bool { return false })
	scope.Bare = true
	got, err := f.drv.Read(ctx, scope)
	if err != nil {
		return f.driverError("read", err)
	}
	var found []collector
	for _, t := range f.visible(got.Program, "").Tables {
		if err := f.mine("read", t); err != nil {
			return err
		}
		for _, p := range slices.Backward(t.Sets) {
			if own, ours := ownSet(t, p); ours && own.Name == s.Name && own.Key == s.Key && f.half(t, id) {
				found = append(found, collector{set: own, table: t, kernel: p.Name, yield: yield})
				break
			}
		}
	}
	switch {
	case len(found) == 0:
		return &Error{Op: "read", Table: id, Set: s.Name, Err: notThere("set")}
	case len(found) == 2 && !s.Key.Addressed():
		return f.alike(ctx, found[0], found[1])
	}
	for i := range found {
		if err := f.collect(ctx, &found[i]); err != nil {
			return err
		}
	}
	return nil
}

// collect yields one kernel set's elements.
func (f *Firewall) collect(ctx context.Context, c *collector) error {
	switch err := f.drv.Elements(ctx, c.table, c.kernel, c.part); {
	case errors.Is(err, errEnough):
		return err
	case err != nil:
		return f.driverError("read", err)
	case !c.end():
		return errEnough
	}
	return nil
}

// alike yields the elements of a set that both halves of a table have, since it has no
// addresses, with the counts of both. Those of one half are kept meanwhile.
func (f *Firewall) alike(ctx context.Context, a, b collector) error {
	counts := map[string]nf.Counters{}
	b.yield = func(e set.Element) bool {
		key, _ := e.Bounds()
		counts[key] = e.Counters()
		return true
	}
	if err := f.collect(ctx, &b); err != nil {
		return err
	}
	yield := a.yield
	a.yield = func(e set.Element) bool {
		key, _ := e.Bounds()
		return yield(e.WithCounters(e.Counters().Add(counts[key])))
	}
	return f.collect(ctx, &a)
}

// collector makes elements of the kernel's, as they come. Of ranges it keeps the one
// of two that came first.
type collector struct {
	set     set.Set
	table   *program.Table
	kernel  string // the set's name there
	yield   func(set.Element) bool
	head    program.Set
	pending []program.Element
}

func (c *collector) part(head *program.Set, part []program.Element) error {
	c.head = *head
	list := part
	if head.Ranges() {
		list = nil
		for _, e := range part {
			list = append(list, c.pair(e)...)
		}
	}
	if !c.give(list) {
		return errEnough
	}
	return nil
}

// pair is what is complete with the next element of a set of ranges.
func (c *collector) pair(e program.Element) []program.Element {
	if len(c.pending) == 0 {
		c.pending = []program.Element{e}
		return nil
	}
	p := c.pending[0]
	switch {
	case p.End && !e.End && e.Key < p.Key: // from the highest down
		c.pending = nil
		return []program.Element{e, p}
	case !p.End && e.End && p.Key < e.Key:
		c.pending = nil
		return []program.Element{p, e}
	}
	c.pending = []program.Element{e}
	if p.End {
		return nil
	}
	return []program.Element{p}
}

// give yields elements; each range is whole. One that has no end is by itself, so
// that the next one's begin is not taken for its end.
func (c *collector) give(list []program.Element) bool {
	for len(list) > 0 {
		n := 1
		if c.head.Ranges() && len(list) > 1 && list[1].End {
			n = 2
		}
		one := c.head
		one.Elements = list[:n]
		list = list[n:]
		for _, e := range compile.ReadElements(c.set, &one, c.table.Family) {
			if !c.yield(e) {
				return false
			}
		}
	}
	return true
}

// end yields what is left: a range without an end.
func (c *collector) end() bool {
	if len(c.pending) == 1 && !c.pending[0].End {
		return c.give(c.pending)
	}
	return true
}

// setError is the error of a set in use or not ours.
func setError(op string, id table.ID, name string, err error, hint string, args ...any) *Error {
	return &Error{Op: op, Table: id, Set: name, Err: err, Hint: fmt.Sprintf(hint, args...)}
}
