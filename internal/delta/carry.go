package delta

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// count is what a rule's count is known by while the rule moves: its chain, of
// which pages are a part, and what it does.
type count struct {
	chain string
	rule  uint64
}

// gain is a rule that is added, and may be one that moves.
type gain struct {
	rule  *program.Rule // in the operation: ours to write to
	count count
}

// key is what the rule's count is known by.
func (s *steps) key(chain string, r *program.Rule) count {
	if from := s.origin[chain]; from != "" {
		chain = from
	}
	return count{chain, s.hash.Rule(s.loose(r))}
}

// of is the chain that a chain is a page of, else the chain itself.
func of(c *program.Chain, name string) string {
	if c == nil {
		return name
	}
	if d := userdata.DecodeChain(c.UserData); d.Of != "" {
		return d.Of
	}
	return name
}

// lose notes that a rule is deleted.
func (s *steps) lose(chain string, r *program.Rule) {
	s.rules.Deleted++
	if _, ok := r.Counts(); ok {
		k := s.key(of(s.chains[chain], chain), r)
		s.gone[k] = append(s.gone[k], r)
	}
}

// gain notes that a rule is added and returns it, or, where it may take over a
// count, a copy.
func (s *steps) gain(chain string, r *program.Rule) *program.Rule {
	if _, ok := r.Counts(); !ok || r.Fresh || len(s.have.Chains) == 0 {
		return r
	}
	next := *r
	s.gained = append(s.gained, gain{&next, count{chain: of(s.wanted[chain], chain)}})
	return &next
}

// carry gives rules that are added the counts of those that are deleted and were
// the same; in userdata too, if there is such a one.
func (s *steps) carry() {
	if len(s.gone) == 0 {
		return
	}
	rest := s.gained[:0]
	for _, g := range s.gained {
		g.count = s.key(g.count.chain, g.rule)
		old := s.gone[g.count]
		i := slices.IndexFunc(old[:min(len(old), lookahead)], g.rule.Same)
		if i < 0 {
			rest = append(rest, g)
			continue
		}
		s.take(g, i)
	}
	for _, g := range rest {
		if len(s.gone[g.count]) > 0 {
			s.take(g, 0)
		}
	}
}

// lookahead is among how many rules that do the same one is looked for.
const lookahead = 16

// take gives a rule the count of one that is deleted.
func (s *steps) take(g gain, i int) {
	old := s.gone[g.count]
	n, _ := old[i].Counts()
	*g.rule = *g.rule.WithCounts(n)
	if i == 0 {
		s.gone[g.count] = old[1:]
		return
	}
	s.gone[g.count] = slices.Delete(old, i, i+1)
}
