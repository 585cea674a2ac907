// Package chain is a chain: rules in order, and what happens at its end.
//
// A Chain is an immutable value, made by BuiltIn for one of iptables' five
// built-in chains, by New for a user chain, and by Keep for a user chain that
// somebody else fills. What is wrong with it is found when it is made and
// reported by Err, and by everything that the chain becomes a part of.
package chain

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// The built-in chains. Which of them a table has is table.ID.BuiltIns' to say.
const (
	Prerouting  = "PREROUTING"
	Input       = "INPUT"
	Forward     = "FORWARD"
	Output      = "OUTPUT"
	Postrouting = "POSTROUTING"
)

// IsBuiltIn says whether a name is one of the five built-in chains'.
func IsBuiltIn(name string) bool {
	switch name {
	case Prerouting, Input, Forward, Output, Postrouting:
		return true
	}
	return false
}

// Chain is an immutable value. The zero value has no name and is an error where it is used.
type Chain struct {
	name     string
	rules    []rule.Rule // never changed
	policy   Policy      // 0: a user chain
	counters nf.Counters
	kept     bool
	err      error // of the name or the policy
}

// BuiltIn is one of the five built-in chains; its policy cannot be forgotten.
func BuiltIn(name string, p Policy, rules ...rule.Rule) Chain {
	c := Chain{name: name, policy: p, rules: slices.Clone(rules)}
	switch {
	case !IsBuiltIn(name):
		c.err = fmt.Errorf("%w: only a built-in chain has a policy: use chain.New", ErrPolicy)
	case p != Accept && p != Drop:
		c.err = fmt.Errorf("%w: neither ACCEPT nor DROP", ErrPolicy)
	}
	return c
}

// New is a user chain. The names of the five built-in chains are refused in
// every table, though iptables takes one in a table that has no such chain.
func New(name string, rules ...rule.Rule) Chain {
	c := Chain{name: name, rules: slices.Clone(rules), err: CheckName(name)}
	if IsBuiltIn(name) {
		c.err = fmt.Errorf("%w: a built-in chain must have one: use chain.BuiltIn", ErrPolicy)
	}
	return c
}

// Keep is a user chain that belongs to the administrator: Apply makes it when
// it is missing and never touches its rules. One that Apply made so stays too where
// a later ruleset does not name it; an Edit can remove it, and a ruleset that has it
// as a chain like any other takes its rules over. It reads back as such a chain, with
// its rules.
func Keep(name string) Chain {
	c := New(name)
	c.kept = true
	return c
}

// Name is the chain's name.
func (c Chain) Name() string { return c.name }

// Kept says whether the chain was declared with Keep.
func (c Chain) Kept() bool { return c.kept }

// Policy is the chain's policy; ok is false for a user chain.
func (c Chain) Policy() (p Policy, ok bool) { return c.policy, c.policy != 0 }

// Counters are the policy's: what came to the end of a built-in chain, or what
// WithCounters presets. A user chain has none.
func (c Chain) Counters() nf.Counters { return c.counters }

// WithCounters is the same chain with preset policy counters.
func (c Chain) WithCounters(n nf.Counters) Chain {
	c.counters = n
	return c
}

// WithPolicy is the built-in chain with another policy; counters stay. On a
// user chain it is an error where the chain is used.
func (c Chain) WithPolicy(p Policy) Chain {
	d := BuiltIn(c.name, p)
	c.policy, c.err = p, d.err
	return c
}

// Len is the number of rules.
func (c Chain) Len() int { return len(c.rules) }

// Rule is rule n, from 1; ok is false where there is none.
func (c Chain) Rule(n int) (r rule.Rule, ok bool) {
	if n < 1 || n > len(c.rules) {
		return r, false
	}
	return c.rules[n-1], true
}

// Rules yields each rule with its number, from 1.
func (c Chain) Rules() iter.Seq2[int, rule.Rule] {
	return func(yield func(int, rule.Rule) bool) {
		for i, r := range c.rules {
			if !yield(i+1, r) {
				return
			}
		}
	}
}

// With is the chain with other rules; policy, counters and name stay.
func (c Chain) With(rules ...rule.Rule) Chain {
	c.rules = slices.Clone(rules)
	return c
}

// In is the chain as it stands in a table for family f: see rule.Rule.In.
func (c Chain) In(f nf.Family) Chain {
	narrower := func(r rule.Rule) bool { return r.Family() != nf.Both }
	if len(c.rules) == 0 || f == nf.Both && !slices.ContainsFunc(c.rules, narrower) {
		return c
	}
	rules := make([]rule.Rule, len(c.rules))
	for i, r := range c.rules {
		rules[i] = r.In(f)
	}
	c.rules = rules
	return c
}

// Equal says whether two chains have the same name, policy and rules, and are
// both kept or both not. Counters are not looked at.
func (c Chain) Equal(d Chain) bool {
	return c.name == d.name && c.policy == d.policy && c.kept == d.kept &&
		slices.EqualFunc(c.rules, d.rules, rule.Rule.Equal)
}

// Err reports a bad name or policy, and the first rule that cannot be
// programmed. It is an *Error.
func (c Chain) Err() error {
	if err := c.Bad(); err != nil {
		return err
	}
	for i, r := range c.rules {
		if err := r.Err(); err != nil {
			e := &Error{Chain: c.name, Rule: i + 1, Text: r.String(), Err: err}
			if m := (*rule.MatchError)(nil); errors.As(err, &m) {
				e.Extension = m.Extension
			}
			return e
		}
	}
	return nil
}

// Bad reports a bad name or policy, whatever the rules: an *Error, or nil.
func (c Chain) Bad() error {
	switch {
	case c.err != nil:
		return &Error{Chain: c.name, Err: c.err}
	case c.name == "":
		return &Error{Err: fmt.Errorf("%w: empty", ErrName)}
	}
	return nil
}
