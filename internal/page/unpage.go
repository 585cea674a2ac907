package page

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Unpage is p with every page's rules in the place of the jump to it, handles and
// all: the inverse of Page. p is not changed; what stays as it is belongs to both.
//
// What is not whole is left as it is: a page that is gone to from elsewhere, or
// twice, or by a rule that does more than jump; one in which somebody put a
// RETURN; a jump to a page that is not there. Then the listing shows the chains
// as they are.
func Unpage(p *program.Program) *program.Program {
	out := &program.Program{Tables: slices.Clone(p.Tables)}
	for i, t := range p.Tables {
		if whole := pages(t); len(whole) > 0 {
			out.Tables[i] = inline(t, whole)
		}
	}
	return out
}

func inline(t *program.Table, whole map[string]*program.Chain) *program.Table {
	out := *t
	out.Chains = make([]*program.Chain, 0, len(t.Chains)-len(whole))
	for _, c := range t.Chains {
		switch {
		case whole[c.Name] != nil:
			continue
		case slices.ContainsFunc(c.Rules, func(r *program.Rule) bool { return whole[spineJump(r)] != nil }):
			s := *c
			s.Rules = lay(c, whole).rules
			c = &s
		}
		out.Chains = append(out.Chains, c)
	}
	return &out
}
