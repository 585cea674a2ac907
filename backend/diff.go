package backend

import (
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// changes are the difference of two rulesets for people to read. Elements of sets that
// live by edits count where an edit changed them.
func changes(before, after table.Ruleset) []Change { return difference(before, after, false) }

// allChanges are changes with the elements of every set, for two rulesets that were read.
func allChanges(before, after table.Ruleset) []Change { return difference(before, after, true) }

func difference(before, after table.Ruleset, elements bool) []Change {
	var out []Change
	for t := range before.Tables() {
		if _, ok := after.Table(t.ID()); !ok {
			out = append(out, Change{Op: Delete, Table: t.ID()})
		}
	}
	for t := range after.Tables() {
		old, _ := before.Table(t.ID())
		out = append(out, tableChanges(old, t, elements)...)
	}
	return out
}

func tableChanges(old, t table.Table, elements bool) []Change {
	out := setChanges(old, t, elements)
	for c := range old.Chains() {
		if _, ok := t.Chain(c.Name()); !ok {
			out = append(out, Change{Op: Delete, Table: t.ID(), Chain: c.Name()})
		}
	}
	for c := range t.Chains() {
		was, there := old.Chain(c.Name())
		p, _ := c.Policy()
		pw, _ := was.Policy()
		switch {
		case !there:
			out = append(out, Change{Op: Add, Table: t.ID(), Chain: c.Name(), Policy: p})
		case p != pw:
			out = append(out, Change{Op: SetPolicy, Table: t.ID(), Chain: c.Name(), Policy: p})
		}
		if !c.Kept() {
			out = append(out, ruleChanges(t.ID(), was, c)...)
		}
	}
	return out
}

// ruleChanges lines two chains up: what they begin and end with alike stays, and
// between, a rule stays with the next equal one that is still to come.
func ruleChanges(id table.ID, was, c chain.Chain) []Change {
	a, b := collect(was), collect(c)
	first := 0
	for first < len(a) && first < len(b) && a[first].Equal(b[first]) {
		first++
	}
	last := 0
	for last < len(a)-first && last < len(b)-first && a[len(a)-1-last].Equal(b[len(b)-1-last]) {
		last++
	}
	at := map[string][]int{}
	for i := first; i < len(a)-last; i++ {
		k := a[i].String()
		at[k] = append(at[k], i)
	}
	var out []Change
	next := first
	drop := func(to int) {
		for ; next < to; next++ {
			out = append(out, Change{Op: Delete, Table: id, Chain: c.Name(), Line: next + 1, Rule: a[next]})
		}
	}
	for j := first; j < len(b)-last; j++ {
		k := b[j].String()
		for len(at[k]) > 0 && at[k][0] < next {
			at[k] = at[k][1:]
		}
		if len(at[k]) > 0 {
			drop(at[k][0])
			next, at[k] = next+1, at[k][1:]
			continue
		}
		out = append(out, Change{Op: Add, Table: id, Chain: c.Name(), Line: j + 1, Rule: b[j]})
	}
	drop(len(a) - last)
	return out
}

func collect(c chain.Chain) []rule.Rule {
	out := make([]rule.Rule, 0, c.Len())
	for _, r := range c.Rules() {
		out = append(out, r)
	}
	return out
}
