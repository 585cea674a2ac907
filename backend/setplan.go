package backend

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// What a set is, is fixed in the kernel when it is made, and so is its name. One
// that is to be another (another timeout, say) is made anew under a name beside it,
// "bans.1", and filled; then rules look that up, and the old one is swept.

// setNamer finds the kernel's name for each set: that of the set that is there, where
// it is what it should be, else a free one.
func (f *Firewall) setNamer(st *state) func(program.Family, table.ID, string, *program.Set) string {
	return func(fam program.Family, id table.ID, name string, as *program.Set) string {
		t := st.raw.Table(fam, compile.TableName(id, f.opts))
		if t == nil {
			return ""
		}
		want, keep, ok, _ := compile.OwnSetOf(as, fam)
		if !ok {
			return ""
		}
		base, taken := as.Name, false
		for _, p := range t.Sets {
			s, k, ours, _ := compile.OwnSetOf(p, fam)
			if ours && s == want && k == keep {
				return p.Name
			}
			taken = taken || ours && p.Name == base
		}
		for n := 1; taken; n++ {
			name := fmt.Sprintf("%s.%d", base, n)
			if t.Set(name) == nil {
				return name
			}
		}
		return ""
	}
}

// remade is a ruleset in which sets that are kept, and must be made anew since they
// are to be another, have the elements that they have now.
func (f *Firewall) remade(ctx context.Context, op string, st *state, rs table.Ruleset) (table.Ruleset, error) {
	for t := range rs.Tables() {
		for s := range t.Sets() {
			kept, edited := t.SetKept(s.Name)
			if !kept || edited || !f.differs(st, t.ID(), s) {
				continue
			}
			had, err := f.load(ctx, op, st, t.ID(), s.Name)
			if err != nil {
				return rs, err
			}
			var elements []set.Element
			for e := range had.Elements(s.Name) {
				if e.Fits(s.Key, t.ID().Family()) == nil {
					elements = append(elements, e)
				}
			}
			t = t.WithKept(s, elements...)
			rs = rs.With(t)
		}
	}
	return rs, invalid(op, rs.Err())
}

// differs says whether the kernel has a set of that name which is another.
func (f *Firewall) differs(st *state, id table.ID, s set.Set) bool {
	for _, t := range st.raw.Tables {
		for _, p := range t.Sets {
			have, keep, ours, _ := compile.OwnSetOf(p, t.Family)
			if ours && f.half(t, id) && have.Name == s.Name && (have != s || !keep) {
				return true
			}
		}
	}
	return false
}

// checkSets refuses to take away a set that rules look up which are not the model's,
// and to take over somebody else's.
func (p *Plan) checkSets(want *program.Program) error {
	var errs []error
	for _, t := range p.have.Tables {
		w := want.Table(t.Family, t.Name)
		if w == nil {
			continue
		}
		id, _ := p.f.given(p, t)
		for _, s := range t.Sets {
			own, ours := ownSet(t, s)
			switch wanted := w.Set(s.Name); {
			case !ours && wanted != nil:
				errs = append(errs, setError(p.op, id, s.Name, ErrNotOurs, "somebody else made the set %s in the table %v %s", s.Name, t.Family, t.Name))
			case ours && wanted == nil:
				if c := lookedUp(w, s.Name); c != "" {
					errs = append(errs, setError(p.op, id, own.Name, ErrInUse, "a rule of chain %s looks it up", c))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// lookedUp is a chain with a rule that looks a set up; "" for none.
func lookedUp(t *program.Table, name string) string {
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			for _, e := range r.Exprs {
				switch e := e.(type) {
				case program.Lookup:
					if e.Name == name {
						return c.Name
					}
				case program.Raw:
					if strings.Contains(e.Data, name+"\x00") {
						return c.Name
					}
				}
			}
		}
	}
	return ""
}

// setChanges are the differences of two tables' sets; with all, of the elements of those
// that live by edits too.
func setChanges(old, t table.Table, all bool) []Change {
	var out []Change
	for s := range old.Sets() {
		if _, _, ok := t.Set(s.Name); !ok {
			out = append(out, Change{Op: Delete, Table: t.ID(), Set: s.Name})
		}
	}
	for s := range t.Sets() {
		was, wasKept, there := old.Set(s.Name)
		kept, edited := t.SetKept(s.Name)
		switch {
		case !there:
			out = append(out, Change{Op: Add, Table: t.ID(), Set: s.Name})
		case was != s || kept != wasKept:
			out = append(out, Change{Op: Replace, Table: t.ID(), Set: s.Name})
		}
		if all || !there || !kept || edited {
			out = append(out, elementChanges(old, t, s.Name)...)
		}
	}
	return out
}

// elementChanges are the differences of a set's elements, which both tables have in
// one order.
func elementChanges(old, t table.Table, name string) []Change {
	var out []Change
	add := func(op Op, e set.Element) { out = append(out, Change{Op: op, Table: t.ID(), Set: name, Elem: e}) }
	had := map[string]set.Element{}
	for e := range old.Elements(name) {
		had[e.String()] = e
	}
	is := map[string]bool{}
	for e := range t.Elements(name) {
		is[e.String()] = true
	}
	for e := range old.Elements(name) {
		if !is[e.String()] {
			add(Delete, e)
		}
	}
	for e, fresh := range t.Entries(name) {
		switch o, there := had[e.String()]; {
		case !there:
			add(Add, e)
		case fresh || !o.Equal(e):
			add(Replace, e)
		}
	}
	return out
}
