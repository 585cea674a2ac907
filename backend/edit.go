package backend

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Edit is one transaction under construction. It reads what it has written. Verbs return
// nothing: the first that fails makes Edit fail, naming the verb. References are looked at
// in the end, so a chain may be removed before the rules that jump to it. A rule that is
// flushed and appended is a new rule with counters of its own; Set keeps it.
// Valid until its function returns.
type Edit struct {
	tables  []*editTable
	removed []*ChainEdit                                        // chains that were taken away
	gone    []*SetEdit                                          // sets that were
	load    func(id table.ID, name string) (table.Table, error) // the table with the elements of a set
	err     error

	quick *quickEdit // answers from the image; nil: tables are all of it
	wide  *state     // what tables were read with, where quick could not go on
}

// editTable is a table being edited.
type editTable struct {
	id     table.ID
	chains []*editChain
	sets   []*editSet
}

// editChain is a chain being edited.
type editChain struct {
	name     string
	builtIn  bool
	kept     bool
	policy   chain.Policy
	counters nf.Counters
	fresh    bool // the policy's counters were set
	rules    []editRule
}

// editRule is a rule being edited. Fresh says that its counters are to be as the
// rule has them, though the kernel hold the same rule.
type editRule struct {
	rule.Rule
	fresh bool
}

// newEdit begins with the ruleset as it is.
func newEdit(rs table.Ruleset) *Edit {
	e := &Edit{}
	for t := range rs.Tables() {
		et := &editTable{id: t.ID()}
		for c := range t.Chains() {
			ec := &editChain{name: c.Name(), kept: c.Kept(), counters: c.Counters()}
			ec.policy, ec.builtIn = c.Policy()
			for _, r := range c.Rules() {
				ec.rules = append(ec.rules, editRule{Rule: r})
			}
			et.chains = append(et.chains, ec)
		}
		for s := range t.Sets() {
			et.sets = append(et.sets, newEditSet(t, s))
		}
		e.tables = append(e.tables, et)
	}
	return e
}

// fail keeps the first error.
func (e *Edit) fail(op string, id table.ID, name string, line int, r rule.Rule, err error) {
	if e.err == nil {
		e.err = &Error{Op: op, Table: id, Chain: name, Rule: line, Text: r.String(), Err: err}
	}
}

// table finds a table; nil if it is not there.
func (e *Edit) table(id table.ID) *editTable {
	e.widen()
	for _, t := range e.tables {
		if t.id == id {
			return t
		}
	}
	return nil
}

func (t *editTable) chain(name string) *editChain {
	if t == nil {
		return nil
	}
	for _, c := range t.chains {
		if c.name == name {
			return c
		}
	}
	return nil
}

// Chain is a chain to edit. It need not exist: Exists says so, New and Ensure
// make it, and verbs that need it fail. iptables' built-in chains always exist:
// one that the table does not hook yet is empty, with a policy of ACCEPT, and is
// made by the first verb that changes it.
func (e *Edit) Chain(t table.ID, name string) *ChainEdit { return &ChainEdit{e, t, name} }

// Chains are the chains of a table, as this Edit has left them, sorted by name
// behind the built-in ones.
func (e *Edit) Chains(id table.ID) iter.Seq[chain.Chain] {
	var out []chain.Chain
	if t := e.table(id); t != nil {
		for _, c := range t.chains {
			out = append(out, c.value())
		}
	}
	slices.SortStableFunc(out, func(a, b chain.Chain) int { return compareChains(id, a, b) })
	return slices.Values(out)
}

// compareChains puts built-in chains first, in the order of their hooks.
func compareChains(id table.ID, a, b chain.Chain) int {
	ha, oka := id.HookOf(a.Name())
	hb, okb := id.HookOf(b.Name())
	switch {
	case oka && okb:
		return int(ha.Num) - int(hb.Num)
	case oka:
		return -1
	case okb:
		return 1
	case a.Name() < b.Name():
		return -1
	}
	return 1
}

// value is the chain as a value.
func (c *editChain) value() chain.Chain {
	rules := make([]rule.Rule, len(c.rules))
	for i, r := range c.rules {
		rules[i] = r.Rule
	}
	switch {
	case c.builtIn:
		return chain.BuiltIn(c.name, c.policy, rules...).WithCounters(c.counters)
	case c.kept:
		return chain.Keep(c.name)
	}
	return chain.New(c.name, rules...)
}

// ruleset is what the edit has made, and its error.
func (e *Edit) ruleset() (table.Ruleset, error) {
	if err := errors.Join(e.err, e.inUse(), e.setsInUse()); err != nil {
		return table.Ruleset{}, err
	}
	var tables []table.Table
	for _, t := range e.tables {
		var chains []chain.Chain
		for _, c := range t.chains {
			chains = append(chains, c.value())
		}
		made := table.New(t.id, chains...)
		for _, s := range t.sets {
			made = s.in(made)
		}
		tables = append(tables, made)
	}
	rs := table.NewRuleset(tables...)
	return rs, invalid("edit", rs.Err())
}

// inUse is the error of a chain that was removed while a rule still goes there.
func (e *Edit) inUse() error {
	for _, gone := range e.removed {
		t := e.table(gone.id)
		if t.chain(gone.name) != nil {
			continue // made anew since
		}
		for _, c := range t.chains {
			for i, r := range c.rules {
				if r.Retarget(gone.name, "").Target() != r.Target() {
					return &Error{
						Op: "delete chain", Table: gone.id, Chain: gone.name, Err: ErrInUse,
						Hint: fmt.Sprintf("%s rule %d still goes there: %v", c.name, i+1, r.Rule),
					}
				}
			}
		}
	}
	return nil
}

// fresh says which rules' counters start anew.
func (e *Edit) fresh(id table.ID, name string, line int) bool {
	c := e.table(id).chain(name)
	switch {
	case c == nil:
		return false
	case line == 0:
		return c.fresh
	}
	return line <= len(c.rules) && c.rules[line-1].fresh
}

// invalid wraps what a ruleset has wrong.
func invalid(op string, err error) error {
	if err == nil {
		return nil
	}
	var out []error
	for _, e := range tableErrors(err) {
		out = append(out, &Error{
			Op: op, Table: e.Table, Chain: e.Chain, Set: e.Set, Rule: e.Rule, Text: e.Text, Extension: e.Extension,
			Err: fmt.Errorf("%w: %w", ErrInvalid, e.Err), Hint: hint(e),
		})
	}
	if out == nil {
		return &Error{Op: op, Err: fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	return errors.Join(out...)
}

// tableErrors are all the *table.Error values in an error's tree.
func tableErrors(err error) []*table.Error {
	switch e := err.(type) {
	case *table.Error:
		return []*table.Error{e}
	case interface{ Unwrap() []error }:
		var out []*table.Error
		for _, x := range e.Unwrap() {
			out = append(out, tableErrors(x)...)
		}
		return out
	}
	return nil
}

// notThere is the error of a chain, rule or table that is not there.
func notThere(what string) error { return fmt.Errorf("no such %s: %w", what, fs.ErrNotExist) }
