package delta

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/align"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// addRules adds all of a chain's rules, which is new, to a step.
func (s *steps) addRules(ops []driver.Op, c *program.Chain) []driver.Op {
	ops = slices.Grow(ops, len(c.Rules))
	for _, r := range c.Rules {
		ops = append(ops, s.add(c, r, 0))
	}
	return ops
}

// add is the operation that adds a rule, before the one with that handle or, 0,
// at the end.
func (s *steps) add(c *program.Chain, r *program.Rule, before uint64) driver.Op {
	s.rules.Added++
	return driver.Op{Kind: driver.AddRule, Table: s.table, Chain: c, Rule: s.gain(c.Name, r), Before: before, Line: r.Line}
}

// diffRules turns a chain's rules into the wanted ones.
func (s *steps) diffRules(old, c *program.Chain) {
	kept, replaced := s.align(old.Rules, c.Rules)
	stays := make([]bool, len(old.Rules))
	stay := 0
	for j := range c.Rules {
		if i := max(kept[j], replaced[j]); i >= 0 {
			stays[i] = true
			stay++
		}
	}
	for i, r := range old.Rules {
		if !stays[i] {
			s.lose(old.Name, r)
		}
	}
	if stay == 0 && len(old.Rules) > 0 {
		s.turn = append(s.turn, driver.Op{Kind: driver.FlushChain, Table: s.table, Chain: c})
		s.turn = s.addRules(s.turn, c)
		return
	}
	s.place(old.Rules, c, kept, replaced)
	for i, r := range old.Rules {
		if !stays[i] {
			s.turn = append(s.turn, driver.Op{Kind: driver.DeleteRule, Table: s.table, Chain: c, Rule: r, Line: r.Line})
		}
	}
}

// place adds and replaces a chain's rules. Each new one goes before the next that
// stays.
func (s *steps) place(old []*program.Rule, c *program.Chain, kept, replaced []int) {
	before := make([]uint64, len(c.Rules))
	next := uint64(0)
	for j := range slices.Backward(c.Rules) {
		before[j] = next
		if i := max(kept[j], replaced[j]); i >= 0 {
			next = old[i].Handle
		}
	}
	for j, r := range c.Rules {
		switch {
		case replaced[j] >= 0:
			s.replace(c, old[replaced[j]], r)
		case kept[j] < 0:
			s.turn = append(s.turn, s.add(c, r, before[j]))
		case r.Fresh && !sameCounts(old[kept[j]], r):
			s.replace(c, old[kept[j]], r)
		}
	}
}

// replace puts r in the place of old, whose handle it gets, and whose count
// unless it is Fresh.
func (s *steps) replace(c *program.Chain, old, r *program.Rule) {
	next := *r
	if n, ok := old.Counts(); ok && !r.Fresh {
		next = *r.WithCounts(n)
	}
	next.Handle = old.Handle
	s.rules.Replaced++
	s.turn = append(s.turn, driver.Op{Kind: driver.ReplaceRule, Table: s.table, Chain: c, Rule: &next, Line: r.Line})
}

func sameCounts(a, b *program.Rule) bool {
	x, _ := a.Counts()
	y, _ := b.Counts()
	return x == y
}

// align says which of a's rules are kept and which are replaced: for each of b the
// index in a, or -1. Replaced are those that do the same and differ in what they
// are called, and those that jump to a chain which makes way.
func (s *steps) align(a, b []*program.Rule) (kept, replaced []int) {
	was := make([]*program.Rule, len(a))
	for i, r := range a {
		if was[i] = r; s.before[r] != nil {
			was[i] = s.before[r]
		}
	}
	kept = align.By(was, b, (*program.Rule).Same, s.hash.Rule)
	replaced = s.between(was, b, kept)
	for j, i := range kept {
		if i >= 0 && was[i] != a[i] {
			kept[j], replaced[j] = -1, i
		}
	}
	return kept, replaced
}

// between finds rules to be replaced between those that are kept.
func (s *steps) between(a, b []*program.Rule, kept []int) []int {
	out := make([]int, len(b))
	for j := range out {
		out[j] = -1
	}
	gap := func(loA, hiA, loB, hiB int) {
		if loA == hiA || loB == hiB {
			return
		}
		for j, i := range align.Rules(s.loosen(a[loA:hiA]), s.loosen(b[loB:hiB])) {
			if i >= 0 {
				out[loB+j] = loA + i
			}
		}
	}
	i, j := 0, 0
	for k, at := range kept {
		if at >= 0 {
			gap(i, at, j, k)
			i, j = at+1, k+1
		}
	}
	gap(i, len(a), j, len(b))
	return out
}

// loosen leaves out of rules what may differ in a rule that is replaced: the
// userdata, the name of a constant set, and that a chain was renamed to make way.
func (s *steps) loosen(rules []*program.Rule) []*program.Rule {
	out := make([]*program.Rule, len(rules))
	for i, r := range rules {
		out[i] = s.loose(r)
	}
	return out
}

func (s *steps) loose(r *program.Rule) *program.Rule {
	if was := s.before[r]; was != nil {
		r = was
	}
	out := &program.Rule{Exprs: r.Exprs}
	for i, e := range r.Exprs {
		l, ok := e.(program.Lookup)
		if !ok || l.Name == "" || l.Const == (program.ConstSet{}) {
			continue
		}
		if &out.Exprs[0] == &r.Exprs[0] {
			out.Exprs = slices.Clone(r.Exprs)
		}
		l.Name = ""
		out.Exprs[i] = l
	}
	return out
}
