package table

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Table is an immutable value: an ID, chains and sets. The zero value is no table, and
// an error where it is used.
type Table struct {
	id     ID
	chains []chain.Chain // normal form: built-in ones by hook, then user chains by name; never changed
	sets   []tableSet    // by name; never changed
}

// New makes a table. Every rule is brought to the form it has in a table of that
// family: a -4 or -6 that says no more than the table does is dropped, a rule of
// the other family has an error.
func New(id ID, chains ...chain.Chain) Table {
	t := Table{id: id, chains: make([]chain.Chain, len(chains))}
	for i, c := range chains {
		t.chains[i] = c.In(id.Family())
	}
	slices.SortStableFunc(t.chains, compareChains)
	return t
}

// compareChains puts chains in iptables-save's order: built-in ones by hook,
// then user chains by the bytes of their names.
func compareChains(a, b chain.Chain) int { return compareNames(a.Name(), b.Name()) }

func compareNames(a, b string) int {
	if i, j := place(a), place(b); i != j {
		return cmp.Compare(i, j)
	}
	return strings.Compare(a, b)
}

// place is a built-in chain's hook, and one past them for a user chain.
func place(name string) int {
	switch name {
	case chain.Prerouting:
		return 0
	case chain.Input:
		return 1
	case chain.Forward:
		return 2
	case chain.Output:
		return 3
	case chain.Postrouting:
		return 4
	}
	return 5
}

// ID says which table it is.
func (t Table) ID() ID { return t.id }

// Chains yields the chains: built-in ones in the order of their hooks, then user
// chains by name.
func (t Table) Chains() iter.Seq[chain.Chain] { return slices.Values(t.chains) }

// Len is the number of chains.
func (t Table) Len() int { return len(t.chains) }

// Chain returns the chain of that name.
func (t Table) Chain(name string) (c chain.Chain, ok bool) {
	i, ok := t.find(name)
	if !ok {
		return c, false
	}
	return t.chains[i], true
}

func (t Table) find(name string) (int, bool) {
	return slices.BinarySearchFunc(t.chains, name, func(c chain.Chain, name string) int {
		return compareNames(c.Name(), name)
	})
}

// WithChain is the table with c in place of the chain of that name, or added.
func (t Table) WithChain(c chain.Chain) Table {
	c = c.In(t.id.Family())
	i, ok := t.find(c.Name())
	if ok {
		t.chains = slices.Clone(t.chains)
		t.chains[i] = c
		return t
	}
	t.chains = slices.Insert(slices.Clip(t.chains), i, c)
	return t
}

// WithoutChain is the table without the chain of that name.
func (t Table) WithoutChain(name string) Table {
	if i, ok := t.find(name); ok {
		t.chains = slices.Delete(slices.Clone(t.chains), i, i+1)
	}
	return t
}

// Complete is the table with every built-in chain that it lacks, empty and with
// the policy ACCEPT.
func (t Table) Complete() Table {
	for _, h := range t.id.BuiltIns() {
		if _, ok := t.find(h.Chain); !ok {
			t = t.WithChain(chain.BuiltIn(h.Chain, chain.Accept))
		}
	}
	return t
}

// For is the table as family f alone sees it: with f's ID, and of a table for
// both the rules that are for f. For(nf.Both) is the table itself.
func (t Table) For(f nf.Family) Table {
	if f == nf.Both || t.id.Family() == f {
		return t
	}
	chains := make([]chain.Chain, len(t.chains))
	for i, c := range t.chains {
		rules := make([]rule.Rule, 0, c.Len())
		for _, r := range c.Rules() {
			if _, ok := r.Family().And(f); ok {
				rules = append(rules, r)
			}
		}
		chains[i] = c.With(rules...)
	}
	u := New(t.id.For(f), chains...)
	u.sets = t.setsFor(f)
	return u
}

// Equal says whether two tables have the same ID, equal chains, and sets that are
// described alike. Elements count where Apply would see to them. Counters, and how
// long an element has left, are not looked at.
func (t Table) Equal(u Table) bool {
	return t.id == u.id && slices.EqualFunc(t.chains, u.chains, chain.Chain.Equal) &&
		slices.EqualFunc(t.sets, u.sets, tableSet.equal)
}

// Ruleset is an immutable set of tables, at most one for an ID. The zero value is empty.
type Ruleset struct {
	tables []Table // in iptables-nft-save's order; never changed
}

// NewRuleset collects tables.
func NewRuleset(tables ...Table) Ruleset {
	rs := Ruleset{slices.Clone(tables)}
	slices.SortStableFunc(rs.tables, compareTables)
	return rs
}

func compareTables(a, b Table) int {
	return cmp.Or(cmp.Compare(a.id.order(), b.id.order()), cmp.Compare(a.id, b.id))
}

// Tables yields the tables: mangle, security, raw, filter, nat, as
// iptables-nft-save prints them.
func (rs Ruleset) Tables() iter.Seq[Table] { return slices.Values(rs.tables) }

// Len is the number of tables.
func (rs Ruleset) Len() int { return len(rs.tables) }

// Table returns the table with that ID.
func (rs Ruleset) Table(id ID) (t Table, ok bool) {
	for _, t := range rs.tables {
		if t.id == id {
			return t, true
		}
	}
	return t, false
}

// With is the ruleset with t in place of the table of that ID, or added.
func (rs Ruleset) With(t Table) Ruleset {
	tables := slices.DeleteFunc(slices.Clone(rs.tables), func(u Table) bool { return u.id == t.id })
	return NewRuleset(append(tables, t)...)
}

// For is the ruleset as family f alone sees it: the tables of f, and those for
// both as f sees them. For(nf.Both) is the ruleset itself.
func (rs Ruleset) For(f nf.Family) Ruleset {
	if f == nf.Both {
		return rs
	}
	var tables []Table
	for _, t := range rs.tables {
		if t.id.Family() == nf.Both || t.id.Family() == f {
			tables = append(tables, t.For(f))
		}
	}
	return NewRuleset(tables...)
}

// Equal says whether two rulesets have equal tables. Counters are not looked at.
func (rs Ruleset) Equal(other Ruleset) bool {
	return slices.EqualFunc(rs.tables, other.tables, Table.Equal)
}
