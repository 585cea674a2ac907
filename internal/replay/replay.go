// Package replay brings a program that was read from a host up to date with the
// commits that were seen since, so that whoever follows a host need not read it
// again.
package replay

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// Key is what a table is known by.
type Key struct {
	Family program.Family
	Name   string
}

// Apply is p after a commit, and the tables that it touched. p stays as it is;
// what did not change is shared. ok is false where the commit is about something
// that p does not have, or says less than is needed: then the host is to be read.
//
// What a host does not tell of is not in it: elements that come and go by
// themselves, and what is counted.
func Apply(p *program.Program, seen driver.Seen) (next *program.Program, touched []Key, ok bool) {
	if seen.Lost {
		return p, nil, false
	}
	r := replayer{p: &program.Program{Tables: slices.Clone(p.Tables)}, tables: map[Key]*tableState{}}
	for _, e := range seen.Events {
		if !r.event(e) {
			return p, nil, false
		}
	}
	for key, t := range r.tables {
		touched = append(touched, key)
		if t != nil {
			t.finish()
		}
	}
	slices.SortFunc(touched, func(a, b Key) int {
		if a.Family != b.Family {
			return int(a.Family) - int(b.Family)
		}
		return slices.Compare([]byte(a.Name), []byte(b.Name))
	})
	return r.p, touched, true
}

// replayer is a commit under way.
type replayer struct {
	p      *program.Program
	tables map[Key]*tableState // touched; nil: deleted
}

// tableState is a table that was touched, and is our own to change.
type tableState struct {
	t     *program.Table
	own   map[*program.Chain]bool
	mine  map[string]*program.Set // sets of a rule's own that were made in this commit
	fresh []*program.Rule         // rules that may look into them
	place map[uint64]int          // where rules were that were deleted
}

func (r *replayer) event(e driver.Event) bool {
	key := Key{e.Table.Family, e.Table.Name}
	i := slices.IndexFunc(r.p.Tables, func(t *program.Table) bool { return t.Family == key.Family && t.Name == key.Name })
	switch {
	case e.Kind == driver.DeleteTable:
		if i >= 0 {
			r.p.Tables = slices.Delete(r.p.Tables, i, i+1)
		}
		r.tables[key] = nil
		return true
	case e.Kind == driver.AddTable && i < 0:
		t := *e.Table
		r.p.Tables = append(r.p.Tables, &t)
		r.tables[key] = newState(&t)
		return true
	case i < 0:
		return false
	}
	s := r.tables[key]
	if s == nil {
		t := *r.p.Tables[i]
		t.Chains, t.Sets = slices.Clone(t.Chains), slices.Clone(t.Sets)
		r.p.Tables[i] = &t
		s = newState(&t)
		r.tables[key] = s
	}
	switch e.Kind {
	case driver.AddTable:
		s.t.Flags = e.Table.Flags
		return true
	case driver.AddChain, driver.DeleteChain:
		return s.chainEvent(e)
	case driver.AddRule, driver.DeleteRule:
		return s.ruleEvent(e)
	}
	return s.setEvent(e)
}

func newState(t *program.Table) *tableState {
	return &tableState{t: t, own: map[*program.Chain]bool{}, mine: map[string]*program.Set{}, place: map[uint64]int{}}
}

func (s *tableState) chainEvent(e driver.Event) bool {
	i := slices.IndexFunc(s.t.Chains, func(c *program.Chain) bool { return c.Handle == e.Chain.Handle })
	switch {
	case e.Kind == driver.DeleteChain && i >= 0:
		s.t.Chains = slices.Delete(s.t.Chains, i, i+1)
	case e.Kind == driver.DeleteChain:
		return false
	case i < 0:
		c := *e.Chain
		s.t.Chains = append(s.t.Chains, &c)
		s.own[&c] = true
	default: // its policy, its counters or its name
		c := *e.Chain
		c.Rules = s.t.Chains[i].Rules
		s.t.Chains[i] = &c
	}
	return true
}

// chain is the chain of that name, with rules of its own.
func (s *tableState) chain(name string) *program.Chain {
	i := slices.IndexFunc(s.t.Chains, func(c *program.Chain) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	if c := s.t.Chains[i]; s.own[c] {
		return c
	}
	c := *s.t.Chains[i]
	c.Rules = slices.Clone(c.Rules)
	s.t.Chains[i] = &c
	s.own[&c] = true
	return &c
}

func (s *tableState) ruleEvent(e driver.Event) bool {
	c := s.chain(e.Chain.Name)
	if c == nil {
		return false
	}
	byHandle := func(h uint64) int {
		return slices.IndexFunc(c.Rules, func(r *program.Rule) bool { return r.Handle == h })
	}
	if e.Kind == driver.DeleteRule {
		i := byHandle(e.Rule.Handle)
		if i < 0 {
			return false
		}
		s.place[e.Rule.Handle] = i
		c.Rules = slices.Delete(c.Rules, i, i+1)
		return true
	}
	at, again := s.place[e.Rule.Handle]
	switch {
	case again:
		if at > len(c.Rules) {
			return false
		}
		delete(s.place, e.Rule.Handle)
	case e.Last:
		at = len(c.Rules)
	case e.After != 0:
		if at = byHandle(e.After) + 1; at == 0 {
			return false // it stands behind one that is yet to come
		}
	}
	r := *e.Rule
	r.Exprs = slices.Clone(r.Exprs)
	c.Rules = slices.Insert(c.Rules, at, &r)
	s.fresh = append(s.fresh, &r)
	return true
}

func (s *tableState) setEvent(e driver.Event) bool {
	name := e.Set.Name
	i := slices.IndexFunc(s.t.Sets, func(x *program.Set) bool { return x.Name == name })
	switch e.Kind {
	case driver.AddSet:
		set := *e.Set
		set.Elements = nil
		switch {
		case set.Flags&program.SetAnonymous != 0:
			s.mine[name] = &set
		case i < 0:
			s.t.Sets = append(s.t.Sets, &set)
		default: // another size or description
			set.Elements = s.t.Sets[i].Elements
			s.t.Sets[i] = &set
		}
		return true
	case driver.DeleteSet:
		delete(s.mine, name)
		if i >= 0 {
			s.t.Sets = slices.Delete(s.t.Sets, i, i+1)
		}
		return true
	}
	if set := s.mine[name]; set != nil && e.Kind == driver.AddElements {
		set.Elements = append(set.Elements, e.Set.Elements...)
		return true
	}
	if i < 0 {
		return e.Kind == driver.DeleteElements // of a set that is a rule's own, and goes with it
	}
	set := *s.t.Sets[i]
	set.Elements = elements(set.Elements, e)
	s.t.Sets[i] = &set
	return true
}

// elements are a set's after some came or went.
func elements(had []program.Element, e driver.Event) []program.Element {
	type key struct {
		key, end  string
		last, all bool
	}
	keyOf := func(x program.Element) key { return key{x.Key, x.KeyEnd, x.End, x.CatchAll} }
	changed := map[key]bool{}
	for _, x := range e.Set.Elements {
		changed[keyOf(x)] = true
	}
	out := make([]program.Element, 0, len(had)+len(changed))
	for _, x := range had {
		if !changed[keyOf(x)] {
			out = append(out, x)
		}
	}
	if e.Kind == driver.AddElements {
		out = append(out, e.Set.Elements...)
	}
	return out
}

// finish puts constant sets into the lookups of new rules, as reading does.
func (s *tableState) finish() {
	constant := make(map[string]*program.Set, len(s.mine))
	for name, set := range s.mine {
		constant[name] = set
	}
	for _, set := range s.t.Sets {
		if set.Flags&program.SetConstant != 0 {
			constant[set.Name] = set
		}
	}
	if len(constant) > 0 {
		for _, r := range s.fresh {
			wire.Inline(r.Exprs, constant)
		}
	}
	for name, set := range s.mine {
		if constant[name] != nil { // no plain constant: it is listed like others
			s.t.Sets = append(s.t.Sets, set)
		}
	}
}
