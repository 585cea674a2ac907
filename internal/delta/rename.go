package delta

import (
	"fmt"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/align"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// makeWay renames the host's chains that have a wanted chain's name and cannot
// become it. They stay in force under the other name until the sweep.
func (s *steps) makeWay() {
	s.renamed = map[string]string{}
	for _, c := range s.have.Chains {
		w := s.wanted[c.Name]
		if w == nil || w.Keep || c.Base == w.Base && (!c.Base || c.Hook == w.Hook) && unkept(says(c)) == unkept(says(w)) {
			continue
		}
		for n := 1; ; n++ {
			to := fmt.Sprintf("%s.old%d", c.Name, n)
			if s.chains[to] == nil && s.wanted[to] == nil {
				s.renamed[c.Name], s.origin[to] = to, c.Name
				break
			}
		}
	}
	if len(s.renamed) > 0 {
		s.first = renameOps(s.have, s.renamed)
		s.have = rename(s.have, s.renamed, s.before)
		s.index()
	}
}

// unkept is what a chain says but whose it is: that is said when it is made and
// never changes.
func unkept(d userdata.Chain) userdata.Chain {
	d.Keep = false
	return d
}

// sameWords says whether two chains say the same, whomever they belong to.
func sameWords(a, b *program.Chain) bool {
	return a.UserData == b.UserData || says(a) != userdata.Chain{} && unkept(says(a)) == unkept(says(b))
}

func renameOps(t *program.Table, names map[string]string) []driver.Op {
	var out []driver.Op
	for _, c := range t.Chains {
		if to := names[c.Name]; to != "" {
			out = append(out, driver.Op{Kind: driver.RenameChain, Table: t, Chain: c, To: to})
		}
	}
	return out
}

// Rename is a table with chains under other names, by name, and what refers to them.
// It is not changed.
func Rename(t *program.Table, names map[string]string) *program.Table { return rename(t, names, nil) }

// rename is the table with chains under other names, and what refers to them.
// before gets the rules that this changes, as they were; it may be nil.
func rename(t *program.Table, names map[string]string, before map[*program.Rule]*program.Rule) *program.Table {
	out := *t
	out.Chains = slices.Clone(t.Chains)
	for i, c := range t.Chains {
		next := *c
		if to := names[c.Name]; to != "" {
			next.Name = to
		}
		next.Rules = slices.Clone(c.Rules)
		for j, r := range c.Rules {
			for name := range r.Jumps {
				if names[name] != "" {
					next.Rules[j] = renameIn(r, names)
					if before != nil {
						before[next.Rules[j]] = r
					}
					break
				}
			}
		}
		out.Chains[i] = &next
	}
	out.Sets = slices.Clone(t.Sets)
	for i, m := range t.Sets {
		next := *m
		next.Elements = slices.Clone(m.Elements)
		for j, e := range m.Elements {
			if to := names[e.Verdict.Chain]; to != "" {
				next.Elements[j].Verdict.Chain = to
			}
		}
		out.Sets[i] = &next
	}
	return &out
}

func renameIn(r *program.Rule, names map[string]string) *program.Rule {
	out := *r
	out.Exprs = slices.Clone(r.Exprs)
	for i, e := range out.Exprs {
		if v, ok := e.(program.Verdict); ok && names[v.Chain] != "" {
			v.Chain = names[v.Chain]
			out.Exprs[i] = v
		}
	}
	return &out
}

// renames finds user chains that are wanted under another name and are else the
// same: old name to new.
func renames(old, want *program.Table, opt Options, h align.Hasher) map[string]string {
	vanished := map[uint64][]*program.Chain{}
	names := map[string]bool{}
	for _, c := range want.Chains {
		names[c.Name] = true
	}
	for _, c := range old.Chains {
		if !names[c.Name] && plain(c) && (opt.Keep == nil || !opt.Keep(want, c.Name)) {
			k := hashRules(c, h)
			vanished[k] = append(vanished[k], c)
		}
		delete(names, c.Name)
	}
	if len(vanished) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, c := range want.Chains {
		if !names[c.Name] || !plain(c) || c.Keep {
			continue
		}
		k := hashRules(c, h)
		for i, o := range vanished[k] {
			if sameWords(o, c) && slices.EqualFunc(o.Rules, c.Rules, (*program.Rule).Same) {
				out[o.Name] = c.Name
				vanished[k] = slices.Delete(vanished[k], i, i+1)
				break
			}
		}
	}
	return out
}

// plain says whether a chain can be known by its rules: a user chain that has some
// and is no page.
func plain(c *program.Chain) bool { return !c.Base && len(c.Rules) > 0 && says(c).Of == "" }

func hashRules(c *program.Chain, h align.Hasher) uint64 {
	sum := uint64(len(c.Rules))
	for _, r := range c.Rules {
		sum = sum*31 + h.Rule(r)
	}
	return sum
}
