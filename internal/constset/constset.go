// Package constset gives names to the lists of ranges that rules carry.
//
// A rule's list of ports is a value in it (program.ConstSet). In the kernel it
// is a set, and an anonymous set comes and goes with its rule, in one
// transaction. For single keys that is right; but a set of ranges can be seen
// late: packets would meet the rule while its set is still empty. So a list of
// ranges gets a name, and is filled in a transaction before the one that brings
// the rule.
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

// kind are the flags of the sets that Lower makes.
const kind = program.SetConstant | program.SetInterval

// Lower is p with its lists of ranges named: every Lookup without a name whose
// Const is an Interval gets one, and its table the set, once. Const stays.
// Lookups that have a name, and lists of single keys, are left alone, as is a
// Const that is no list of ascending ranges, which no host would take.
//
// p is not changed; what stays as it is belongs to both.
func Lower(p *program.Program) *program.Program {
	out := &program.Program{Tables: slices.Clone(p.Tables)}
	for i, t := range p.Tables {
		l := lowering{table: t, names: map[program.ConstSet]string{}}
		chains := rewrite(t, l.expr)
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
	table *program.Table
	names map[program.ConstSet]string // "": leave it alone
	added []*program.Set
	sets  map[string]*program.Set // of the table, by name
}

func (l *lowering) expr(e program.Lookup) (program.Lookup, bool) {
	if e.Name != "" || !e.Const.Interval || e.Map {
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
		next.Chains = rewrite(t, func(e program.Lookup) (program.Lookup, bool) {
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
	if s.Flags != kind {
		return program.ConstSet{}
	}
	c, ok := wire.ConstOf(s)
	if !ok {
		return program.ConstSet{}
	}
	return c
}

// rewrite is a table's chains with each Lookup replaced by what each makes of
// it; chains and rules where it changes nothing are the same ones.
func rewrite(t *program.Table, each func(program.Lookup) (program.Lookup, bool)) []*program.Chain {
	chains := slices.Clone(t.Chains)
	for i, c := range t.Chains {
		var rules []*program.Rule
		for j, r := range c.Rules {
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
