package staging

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/delta"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Hide is a program without what journals say does not belong to the ruleset, and
// without an owner's journals and locks. Of the journal with the token but, what it
// names and the journal stay. p is not changed; what stays as it is belongs to both.
func Hide(p *program.Program, owner, but string, journals []Journal) *program.Program {
	if !slices.ContainsFunc(p.Tables, func(t *program.Table) bool { return Is(owner, t.Name) }) {
		return p
	}
	out := &program.Program{}
	for _, t := range p.Tables {
		if tok, ok := token(owner, middleJournal, t.Name); Is(owner, t.Name) && (!ok || tok != but) {
			continue
		}
		for _, j := range journals {
			if j.Token != but && t != nil {
				t = j.now().hide(t)
			}
		}
		if t != nil {
			out.Tables = append(out.Tables, t)
		}
	}
	return out
}

// hide is a table without what the list names; nil where that is all of it.
func (l List) hide(t *program.Table) *program.Table {
	x := l.of(t)
	if x.whole {
		return nil
	}
	if len(x.chains)+len(x.sets) > 0 {
		next := *t
		next.Chains = slices.DeleteFunc(slices.Clone(t.Chains), func(c *program.Chain) bool { return x.chains[c.Name] })
		next.Sets = slices.DeleteFunc(slices.Clone(t.Sets), func(s *program.Set) bool { return x.sets[s.Name] })
		t = &next
	}
	back := map[string]string{}
	for key, was := range l.Renamed {
		if key.Family == t.Family && key.Table == t.Name && t.Chain(key.Name) != nil && t.Chain(was) == nil {
			back[key.Name] = was
		}
	}
	if len(back) > 0 {
		t = delta.Rename(t, back)
	}
	return t
}
