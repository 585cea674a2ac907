package image

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// many is how many events about the owner's tables a commit may have: to make a new
// image is less work than to follow more.
const many = 4096

// Follow brings the image up to date with a commit; false: it cannot, and is to be made
// anew. Commits that it has are passed over.
func (m *Image) Follow(s driver.Seen) bool {
	switch {
	case s.Lost:
		return false
	case int32(s.Generation-m.Generation) <= 0:
		return true
	case s.Generation != m.Generation+1:
		return false
	}
	m.Generation = s.Generation
	var f following
	for _, e := range s.Events {
		t := m.tables[tableKey{e.Table.Family, e.Table.Name}]
		if t == nil {
			if _, ours := compile.Owned(e.Table.Family, e.Table.Name, m.opts); ours {
				return false
			}
			if e.Kind == driver.AddTable || e.Kind == driver.DeleteTable {
				m.journal(e.Table, e.Kind == driver.AddTable)
			}
			continue
		}
		if f.n++; f.n == 1 {
			m.Version++
		}
		if f.n > many || t.Odd || !f.event(m, t, e) {
			return false
		}
	}
	for t := range f.touched {
		t.check()
	}
	return true
}

// following is one commit under way.
type following struct {
	n       int
	touched map[*Table]bool
	sets    map[string]*program.Set // of rules' own that were made in it
	place   map[uint64]int          // where rules were that are replaced
}

// event is false for what makes another image necessary.
func (f *following) event(m *Image, t *Table, e driver.Event) bool {
	if f.touched == nil {
		f.touched, f.sets, f.place = map[*Table]bool{}, map[string]*program.Set{}, map[uint64]int{}
	}
	f.touched[t] = true
	switch e.Kind {
	case driver.AddRule:
		k := t.chains[e.Chain.Name]
		return k != nil && f.addRule(m, t, k, e)
	case driver.DeleteRule:
		k := t.chains[e.Chain.Name]
		return k != nil && f.deleteRule(k, e.Rule.Handle)
	case driver.AddChain:
		k := t.chains[e.Chain.Name]
		if k == nil {
			for _, c := range t.chains {
				if c.handle == e.Chain.Handle {
					return false // renamed
				}
			}
			k = t.add(e.Chain)
			k.Read = true
			return !t.Odd
		}
		return k.handle == e.Chain.Handle
	case driver.DeleteChain:
		k := t.chains[e.Chain.Name]
		if k == nil || k.handle != e.Chain.Handle {
			return false
		}
		if k.Of != "" {
			t.pages[k.Of]--
		}
		delete(t.chains, k.Name)
		return true
	case driver.AddSet, driver.DeleteSet:
		if e.Set.Flags&program.SetAnonymous != 0 {
			f.sets[e.Set.Name] = e.Set
			return true
		}
		return e.Kind == driver.DeleteSet && anonymousName(e.Set.Name)
	case driver.AddElements, driver.DeleteElements:
		return f.elements(t, e)
	}
	return false
}

// elements of sets of one's own come and go all the time, and say nothing here.
func (f *following) elements(t *Table, e driver.Event) bool {
	if s := f.sets[e.Set.Name]; s != nil && e.Kind == driver.AddElements {
		next := *s
		next.Elements = slices.Concat(s.Elements, e.Set.Elements)
		f.sets[s.Name] = &next
	}
	for _, x := range e.Set.Elements {
		if x.Verdict.Chain != "" {
			t.mapped = true
			if p := t.chains[x.Verdict.Chain]; p != nil && p.Of != "" {
				return false
			}
		}
	}
	return true
}

func (f *following) deleteRule(k *Chain, handle uint64) bool {
	if !k.Read {
		k.others--
		return true
	}
	i := slices.IndexFunc(k.rules, func(r Rule) bool { return r.Handle() == handle })
	if i < 0 {
		return false
	}
	if k.rules[i].is(list) {
		k.lists--
	}
	delete(k.to, handle)
	f.place[handle] = i
	rules := make([]Rule, 0, len(k.rules))
	k.rules = append(append(rules, k.rules[:i]...), k.rules[i+1:]...)
	return true
}

func (f *following) addRule(m *Image, t *Table, k *Chain, e driver.Event) bool {
	if !k.Read {
		k.others++
		return true
	}
	p := *e.Rule
	p.Exprs = slices.Clone(p.Exprs)
	wire.Inline(p.Exprs, f.sets)
	for _, x := range p.Exprs {
		if l, ok := x.(program.Lookup); ok && l.Name != "" && !l.Map {
			k.forget()
			return true // what the list holds is not known
		}
	}
	at, again := f.place[p.Handle]
	switch {
	case again:
		if at > len(k.rules) {
			return false
		}
		delete(f.place, p.Handle)
	case e.Last:
		at = len(k.rules)
	case e.After != 0:
		i := slices.IndexFunc(k.rules, func(r Rule) bool { return r.Handle() == e.After })
		if i < 0 {
			k.forget() // it stands behind one that is yet to come
			return true
		}
		at = i + 1
	}
	r := t.rule(m, k, &p, &p)
	if t.Odd {
		return false
	}
	if at == len(k.rules) {
		k.rules = append(k.rules, r)
		return true
	}
	rules := make([]Rule, 0, len(k.rules)+1)
	k.rules = append(append(append(rules, k.rules[:at]...), r), k.rules[at:]...)
	return true
}

// forget makes a chain's rules unknown.
func (k *Chain) forget() {
	k.others, k.Read, k.rules, k.lists = len(k.rules)+1, false, nil, 0
	clear(k.to)
}

// anonymousName says whether a set's name is one that the kernel made: when such a set
// goes the kernel may not say what it was.
func anonymousName(name string) bool {
	return len(name) > 2 && name[:2] == "__"
}
