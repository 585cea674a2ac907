package backend

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/constset"
	"github.com/gatehouse-fw/gatehouse/internal/probation"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// withForeign is a program with the sets and maps that the kernel's tables have
// and that nobody here made: an administrator's, for rules of his own beside ours.
// They stay as long as their table does, and so do, in the tables that are shared
// with iptables-nft, base chains that are none of iptables'.
func withForeign(want, have *program.Program, o compile.Options) *program.Program {
	out := &program.Program{Tables: slices.Clone(want.Tables)}
	for _, t := range constset.Raise(have).Tables {
		i := slices.IndexFunc(out.Tables, func(w *program.Table) bool { return w.Family == t.Family && w.Name == t.Name })
		if i < 0 {
			continue
		}
		next := *out.Tables[i]
		if o.Plain {
			next.Chains = withForeignChains(next.Chains, t, o)
		}
		next.Sets = slices.Clone(next.Sets)
		for _, s := range t.Sets {
			if _, ours := ownSet(t, s); !ours && s.Name != probation.Set && next.Set(s.Name) == nil {
				next.Sets = append(next.Sets, s)
			}
		}
		out.Tables[i] = &next
	}
	return out
}

// withForeignChains are the chains that are wanted and those of the kernel's table
// that compile.Read passes over. A base chain that iptables-nft made without
// counters for its policy has none until somebody sets the policy or its counters.
func withForeignChains(want []*program.Chain, have *program.Table, o compile.Options) []*program.Chain {
	out := slices.Clone(want)
	for _, c := range have.Chains {
		i := slices.IndexFunc(want, func(w *program.Chain) bool { return w.Name == c.Name })
		switch {
		case i < 0 && compile.Foreign(have, c, o):
			out = append(out, c)
		case i >= 0 && c.Base && !c.Counted && uncounted(want[i]) && want[i].Policy == c.Policy:
			next := *want[i]
			next.Counted = false
			out[i] = &next
		}
	}
	return out
}

// uncounted says whether nobody asked for a base chain's counters.
func uncounted(c *program.Chain) bool { return !c.Fresh && c.Packets == 0 && c.Bytes == 0 }

// anonymous says which rules look up a list of ranges in a set without a name,
// as somebody else's do: those need none.
func anonymous(have *program.Program) func(*program.Rule) bool {
	keys := map[string]bool{} // false: there is such a rule with a name too, which is ours
	for _, t := range have.Tables {
		for _, c := range t.Chains {
			for _, r := range c.Rules {
				for _, e := range r.Exprs {
					l, ok := e.(program.Lookup)
					if !ok || !l.Const.Interval {
						continue
					}
					key := r.Key()
					other, seen := keys[key]
					keys[key] = l.Name == "" && (other || !seen)
				}
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return func(r *program.Rule) bool { return keys[r.Key()] }
}
