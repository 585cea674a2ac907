package backend

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// Op is what a Change does.
type Op uint8

// The kinds of a Change; the zero value is none.
const (
	Add       Op = iota + 1 // a rule, a chain, a set or an element
	Delete                  // a rule, a chain, a table, a set or an element
	Replace                 // a rule by another in its place; an element's timeout, which starts again, or comment; what a set is
	SetPolicy               // of a built-in chain
)

// Change is one step of a plan.
type Change struct {
	Op     Op
	Table  table.ID     // the owner's table; 0 where Other is not nil
	Other  *Other       // whose table it is, where it is not the owner's; only Watch has those
	Chain  string       // "": about the table as a whole
	Line   int          // the rule's number, from 1: in the new ruleset, for Delete in the old; 0: not about a rule
	Rule   rule.Rule    // the rule, as it will be; for Delete as it was
	Set    string       // "": not about a set
	Elem   set.Element  // an element of Set; the zero value: about the set itself
	Policy chain.Policy // of SetPolicy, and of Add for a built-in chain; 0: none
}

// String is the change as a line of a diff, in iptables syntax.
func (c Change) String() string {
	sign := map[Op]string{Add: "+", Delete: "-", Replace: "~", SetPolicy: "~"}[c.Op]
	at := fmt.Sprintf("%s %s", sign, c.Table.Name())
	if c.Other != nil {
		at = fmt.Sprintf("%s %s %s", sign, c.Other.Family, c.Other.Name)
	}
	switch {
	case c.Set != "" && c.Elem == set.Element{}:
		return at + " set " + c.Set
	case c.Set != "":
		return at + " set " + c.Set + ": " + c.Elem.String()
	case c.Chain == "":
		return at
	case c.Line > 0:
		return fmt.Sprintf("%s %s %d: %v", at, c.Chain, c.Line, c.Rule)
	case c.Policy != 0:
		return fmt.Sprintf("%s :%s %v", at, c.Chain, c.Policy)
	}
	return fmt.Sprintf("%s :%s", at, c.Chain)
}
