// Package constset gives names to the lists of ranges that rules carry.
//
// A rule's list of ports is a value in it (program.ConstSet). In the kernel it
// is a set, and an anonymous set comes and goes with its rule, in one
// transaction. For single keys that is right; but a set of ranges can be seen
// late: packets would meet the rule while its set is still empty. So a list of
// ranges gets a name, and is filled in a transaction before the one that brings
// the rule.
//
// Lists of single keys get names where a table has very many, and several rules
// have the same: the kernel makes a name for every anonymous set by going through
// the sets that the table has, so that a load is quadratic in them (measured:
// 0.12 s for 1,000, 35 s for 16,000).
//
// The name says what is in the set, "ports_25_80-90", so that it reads well in
// nft's listing, rules with one list share one set, and no two programs need
// agree on anything. A set never changes: another list is another set.
package constset

import (
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// Lower is p with its lists of ranges named: every Lookup without a name whose
// Const is an Interval gets one, and its table the set, once. Const stays.
// So do lists of single keys that rules share, in a table with more than
// anonymous of them. Lookups that have a name, and all other lists of single keys,
// are left alone, as is a Const that is no ascending list, which no host would take.
//
// p is not changed; what stays as it is belongs to both.
func Lower(p *program.Program) *program.Program { return LowerBut(p, nil) }

// LowerBut is Lower that leaves those rules alone that leave names, which look a
// list of ranges up in the kernel already, in a set without a name.
func LowerBut(p *program.Program, leave func(*program.Rule) bool) *program.Program {
	out := &program.Program{Tables: slices.Clone(p.Tables)}
	for i, t := range p.Tables {
		l := lowering{table: t, names: map[program.ConstSet]string{}, shared: shared(t)}
		chains := rewrite(t, leave, l.expr)
		if len(l.added) > 0 {
			next := *t
			next.Chains = chains
			next.Sets = append(slices.Clip(t.Sets), l.added...)
			out.Tables[i] = &next
		}
	}
	return out
}

// lowering is one table's.
type lowering struct {
	table  *program.Table
	names  map[program.ConstSet]string // "": leave it alone
	shared map[program.ConstSet]int    // lists of single keys: how many rules have it
	added  []*program.Set
	sets   map[string]*program.Set // of the table, by name
}

func (l *lowering) expr(e program.Lookup) (program.Lookup, bool) {
	if !nameless(e) || !e.Const.Interval && l.shared[e.Const] < 2 {
		return e, false
	}
	name, known := l.names[e.Const]
	if !known {
		name = l.name(e.Const)
		l.names[e.Const] = name
	}
	e.Name = name
	return e, name != ""
}

// nameless says whether a lookup is in a set of its rule's own.
func nameless(e program.Lookup) bool {
	return e.Name == "" && !e.Map && e.Const != (program.ConstSet{})
}

// anonymous is how many lists of single keys a table may have before those that
// are alike become one set.
const anonymous = 256

// shared counts the rules that have each list of single keys; it is nil for a
// table that may keep them as they are.
func shared(t *program.Table) map[program.ConstSet]int {
	rules := map[program.ConstSet]int{}
	n := 0
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			for _, e := range r.Exprs {
				if l, ok := e.(program.Lookup); ok && nameless(l) && !l.Const.Interval {
					rules[l.Const]++
					n++
				}
			}
		}
	}
	if n <= anonymous {
		return nil
	}
	return rules
}

// name finds a name for a list, and makes the set unless the table has it.
func (l *lowering) name(c program.ConstSet) string {
	set := wire.SetOf("", c)
	if back, ok := wire.ConstOf(set); !ok || back != c {
		return ""
	}
	if l.sets == nil {
		l.sets = make(map[string]*program.Set, len(l.table.Sets))
		for _, s := range l.table.Sets {
			l.sets[s.Name] = s
		}
	}
	for n := 0; ; n++ {
		name := nth(baseName(c), n)
		old := l.sets[name]
		if old != nil && content(old) != c {
			continue // somebody else's
		}
		if old == nil {
			set = wire.SetOf(name, c)
			l.sets[name] = set
			l.added = append(l.added, set)
		}
		return name
	}
}

// Raise is p with the sets that Lower names back in the rules that look them up:
// the inverse of Lower. Those are the sets whose name is what Lower would call
// their content; they are taken out of Table.Sets, whether or not a rule looks
// them up. Every other set, and a Lookup in one, is left as it is.
//
// p is not changed; what stays as it is belongs to both.
func Raise(p *program.Program) *program.Program {
	out := &program.Program{Tables: slices.Clone(p.Tables)}
	for i, t := range p.Tables {
		ours := own(t)
		if len(ours) == 0 {
			continue
		}
		next := *t
		next.Sets = slices.DeleteFunc(slices.Clone(t.Sets), func(s *program.Set) bool {
			_, is := ours[s.Name]
			return is
		})
		if len(next.Sets) == 0 {
			next.Sets = nil
		}
		next.Chains = rewrite(t, nil, func(e program.Lookup) (program.Lookup, bool) {
			c, is := ours[e.Name]
			if !is {
				return e, false
			}
			e.Name, e.Const = "", c
			return e, true
		})
		out.Tables[i] = &next
	}
	return out
}

// own are the lists of a table's sets that Lower made, by name.
func own(t *program.Table) map[string]program.ConstSet {
	ours := map[string]program.ConstSet{}
	for _, s := range t.Sets {
		if c := content(s); c != (program.ConstSet{}) && isName(s.Name, c) {
			ours[s.Name] = c
		}
	}
	if len(ours) == 0 {
		return nil
	}
	// One that is looked up in a way that Lower does not write is left alone.
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			for _, e := range r.Exprs {
				switch e := e.(type) {
				case program.Lookup:
					if e.Map || e.Const != (program.ConstSet{}) && e.Const != ours[e.Name] {
						delete(ours, e.Name)
					}
				case program.Raw:
					for name := range ours {
						if strings.Contains(e.Data, name) {
							delete(ours, name)
						}
					}
				}
			}
		}
	}
	return ours
}

// content is the list in a set that Lower could have made; the zero value for
// every other set.
func content(s *program.Set) program.ConstSet {
	if s.Flags != program.SetConstant && s.Flags != program.SetConstant|program.SetInterval {
		return program.ConstSet{}
	}
	c, ok := wire.ConstOf(s)
	if !ok {
		return program.ConstSet{}
	}
	return c
}

// rewrite is a table's chains with each Lookup replaced by what each makes of
// it; chains and rules where it changes nothing, or that leave names, are the same
// ones.
func rewrite(t *program.Table, leave func(*program.Rule) bool, each func(program.Lookup) (program.Lookup, bool)) []*program.Chain {
	chains := slices.Clone(t.Chains)
	for i, c := range t.Chains {
		var rules []*program.Rule
		for j, r := range c.Rules {
			if leave != nil && leave(r) {
				continue
			}
			s := rewriteRule(r, each)
			if s == r {
				continue
			}
			if rules == nil {
				rules = slices.Clone(c.Rules)
			}
			rules[j] = s
		}
		if rules != nil {
			next := *c
			next.Rules = rules
			chains[i] = &next
		}
	}
	return chains
}

func rewriteRule(r *program.Rule, each func(program.Lookup) (program.Lookup, bool)) *program.Rule {
	out := r
	for i, e := range r.Exprs {
		l, ok := e.(program.Lookup)
		if !ok {
			continue
		}
		l, changed := each(l)
		if !changed {
			continue
		}
		if out == r {
			next := *r
			next.Exprs = slices.Clone(r.Exprs)
			out = &next
		}
		out.Exprs[i] = l
	}
	return out
}
