package page

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// layout is a paged chain as its rules in order, each with its place.
type layout struct {
	pages []*program.Chain // in the spine's order
	rules []*program.Rule  // without the spine's jumps
	label []int            // of each rule: index of its page, or stay
}

// layouts are the paged chains of a table; nil has none.
func layouts(t *program.Table) map[string]*layout {
	out := map[string]*layout{}
	if t == nil {
		return out
	}
	whole := pages(t)
	if len(whole) == 0 {
		return out
	}
	of := map[string]bool{}
	for _, p := range whole {
		of[userdata.DecodeChain(p.UserData).Of] = true
	}
	for _, c := range t.Chains {
		if of[c.Name] && whole[c.Name] == nil {
			out[c.Name] = lay(c, whole)
		}
	}
	return out
}

// lay puts a chain's rules in order.
func lay(c *program.Chain, whole map[string]*program.Chain) *layout {
	l := &layout{}
	for _, r := range c.Rules {
		p := whole[spineJump(r)]
		if p == nil {
			l.rules, l.label = append(l.rules, r), append(l.label, stay)
			continue
		}
		for range p.Rules {
			l.label = append(l.label, len(l.pages))
		}
		l.rules = append(l.rules, p.Rules...)
		l.pages = append(l.pages, p)
	}
	return l
}

// spineJump is where a rule jumps to that does nothing else, or "".
func spineJump(r *program.Rule) string {
	if len(r.Exprs) != 1 || r.UserData != "" {
		return ""
	}
	if v, ok := r.Exprs[0].(program.Verdict); ok && v.Kind == program.NFTJump {
		return v.Chain
	}
	return ""
}

// pages are the chains of a table that are whole pages, by name: they say whose
// page they are, that chain's spine jumps to them, nothing else leads there, and
// nothing in them would do something else in the spine. What the kernel counts as
// uses of a chain says nothing here: see program.Chain.
func pages(t *program.Table) map[string]*program.Chain {
	of := map[string]string{} // the chain, by page
	found := map[string]*program.Chain{}
	for _, c := range t.Chains {
		if said := userdata.DecodeChain(c.UserData).Of; said != "" && said != c.Name && !c.Base {
			found[c.Name], of[c.Name] = c, said
		}
	}
	if len(found) == 0 {
		return nil
	}
	uses := map[string]int{} // references; more than one is too many
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			to := spineJump(r)
			for name := range r.Jumps {
				if of[name] == "" {
					continue
				}
				uses[name]++
				if name != to || of[name] != c.Name {
					uses[name]++
				}
			}
		}
	}
	for _, s := range t.Sets {
		for _, e := range s.Elements {
			uses[e.Verdict.Chain] += 2
		}
	}
	maps := map[string]bool{}
	for name, c := range found {
		if uses[name] != 1 || of[of[name]] != "" || !whole(t, c, maps) {
			delete(found, name)
		}
	}
	return found
}

// whole says whether a page's rules may stand in the spine.
func whole(t *program.Table, c *program.Chain, maps map[string]bool) bool {
	for _, r := range c.Rules {
		if bound(t, r, maps) {
			return false
		}
	}
	return true
}
