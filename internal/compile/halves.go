package compile

import (
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// joined makes tables of what was read: the halves of a table for both families
// become one again. Halves that no longer fit together, because somebody edited
// one of them, stay two tables.
func joined(halves []half) []table.Table {
	var out []table.Table
	done := map[int]bool{}
	for i, h := range halves {
		if done[i] {
			continue
		}
		for j := i + 1; j < len(halves) && h.split; j++ {
			g := halves[j]
			if !g.split || g.id.Name() != h.id.Name() || done[j] {
				continue
			}
			v4, v6 := h, g
			if v4.id.Family() == nf.IPv6 {
				v4, v6 = g, h
			}
			if t, ok := join(v4, v6); ok {
				out, done[j] = append(out, t), true
				done[i] = true
			}
		}
		if !done[i] {
			out = append(out, h.table())
		}
	}
	return out
}

// table is a half, or a table that has none, as it stands.
func (h half) table() table.Table {
	chains := make([]chain.Chain, len(h.chains))
	for i, c := range h.chains {
		rules := make([]rule.Rule, len(c.rules))
		for k, r := range c.rules {
			rules[k] = r.Rule
		}
		chains[i] = c.With(rules...)
	}
	return withSets(table.New(h.id, chains...), h.sets)
}

// join makes one table of two halves.
func join(v4, v6 half) (table.Table, bool) {
	if len(v4.chains) != len(v6.chains) {
		return table.Table{}, false
	}
	var chains []chain.Chain
	for _, a := range v4.chains {
		b, ok := v6.chain(a.Name())
		if !ok {
			return table.Table{}, false
		}
		pa, _ := a.Policy()
		if pb, _ := b.Policy(); pa != pb {
			return table.Table{}, false
		}
		rules, ok := interleave(a.rules, b.rules)
		if !ok {
			return table.Table{}, false
		}
		c := a.With(rules...)
		if pa != 0 {
			c = c.WithCounters(a.Counters().Add(b.Counters()))
		}
		chains = append(chains, c)
	}
	return withSets(table.New(v4.id.For(nf.Both), chains...), joinSets(v4.sets, v6.sets)), true
}

func (h half) chain(name string) (readChain, bool) {
	for _, c := range h.chains {
		if c.Name() == name {
			return c, true
		}
	}
	return readChain{}, false
}

// interleave puts the rules of two halves in order. Rules for both families are
// in either half, in the same order; between two of them each rule of one half
// says how many of the other's stand before it.
func interleave(a, b []readRule) ([]rule.Rule, bool) {
	var out []rule.Rule
	for len(a) > 0 || len(b) > 0 {
		na, nb := lone(a), lone(b)
		out = append(out, between(a[:na], b[:nb])...)
		a, b = a[na:], b[nb:]
		switch {
		case len(a) == 0 && len(b) == 0:
			return out, true
		case len(a) == 0 || len(b) == 0 || !a[0].Equal(b[0].Rule):
			return nil, false
		}
		r := a[0].Rule
		if n := r.Counters().Add(b[0].Counters()); n != (nf.Counters{}) {
			r = r.WithCounters(n)
		}
		out = append(out, r)
		a, b = a[1:], b[1:]
	}
	return out, true
}

// lone counts the rules of one family that a list begins with.
func lone(list []readRule) int {
	for i, r := range list {
		if r.Family() == nf.Both {
			return i
		}
	}
	return len(list)
}

// between interleaves rules that are in one half each: one goes out when as many
// of the other half have as it says. Numbers that contradict each other, after an
// edit by hand, cannot matter: rules of two families commute.
func between(a, b []readRule) []rule.Rule {
	var out []rule.Rule
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		if j == len(b) || i < len(a) && a[i].after <= j {
			out = append(out, a[i].Rule)
			i++
			continue
		}
		out = append(out, b[j].Rule)
		j++
	}
	return out
}

// only restricts a rule that was read to the family that its -4 or -6 said.
func only(r rule.Rule, f nf.Family) rule.Rule {
	if f == nf.Both || r.Family() != nf.Both {
		return r
	}
	ms := []match.Match{match.Only(f)}
	for m := range r.Matches() {
		ms = append(ms, m)
	}
	s := rule.New(r.Target(), ms...)
	if n := r.Counters(); n != (nf.Counters{}) {
		s = s.WithCounters(n)
	}
	return s
}
