package image

import (
	"github.com/gatehouse-fw/gatehouse/internal/constset"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Take puts the rules of chains that were read into the image. They must have been read
// at the image's generation.
func (m *Image) Take(read *program.Program, chains map[*Chain]bool) {
	for _, p := range read.Tables {
		t := m.tables[tableKey{p.Family, p.Name}]
		if t == nil || t.Odd {
			continue
		}
		raised := constset.Raise(&program.Program{Tables: []*program.Table{p}}).Tables[0]
		for i, c := range p.Chains {
			k := t.chains[c.Name]
			if k == nil || !chains[k] {
				continue
			}
			t.take(m, k, c, raised.Chains[i].Rules)
		}
		t.check()
	}
}

// take fills a chain; raised are its rules with their lists.
func (t *Table) take(m *Image, k *Chain, c *program.Chain, raised []*program.Rule) {
	k.Read, k.others, k.lists = true, 0, 0
	k.rules = make([]Rule, 0, len(c.Rules)+len(c.Rules)/64+1)
	clear(k.to)
	for i, p := range c.Rules {
		k.rules = append(k.rules, t.rule(m, k, p, raised[i]))
	}
}

// rule makes a rule, and notes in the chain what it says of that.
func (t *Table) rule(m *Image, k *Chain, p, raised *program.Rule) Rule {
	r, err := t.single.Read(t.builtIn(k), raised)
	if err != nil {
		t.Odd = true // a newer release's
	}
	f, to := flagsOf(p, r)
	if to != "" {
		k.to[p.Handle] = to
		if page := t.chains[to]; page != nil && page.Of != "" && page.Of != k.Name {
			t.Odd = true // somebody else goes to a page
		}
	}
	if f&list != 0 {
		k.lists++
	}
	for _, e := range p.Exprs {
		if l, ok := e.(program.Lookup); ok && l.Map && l.Dst == 0 {
			t.mapped = true
		}
	}
	t.Odd = t.Odd || k.Of != "" && f&stays != 0
	return Rule{Flags(p.Handle) | f, m.prints.Of(r)}
}

// check sees that pages are what they say: each is jumped to once, from the chain that
// it is a page of.
func (t *Table) check() {
	for name, n := range t.pages {
		c := t.chains[name]
		if c == nil || n == 0 || !c.Read {
			continue
		}
		seen := map[string]bool{}
		for _, r := range c.rules {
			if p := t.pageOf(c, r); p != nil {
				t.Odd = t.Odd || seen[p.Name]
				seen[p.Name] = true
			}
		}
		t.Odd = t.Odd || len(seen) != n
	}
}

// pageOf is the page that a rule of a chain's spine jumps to; nil for any other rule.
func (t *Table) pageOf(c *Chain, r Rule) *Chain {
	if !r.is(leads) {
		return nil
	}
	p := t.chains[c.to[r.Handle()]]
	if p == nil || p.Of != c.Name {
		return nil
	}
	if !r.is(jumps) {
		t.Odd = true
	}
	return p
}
