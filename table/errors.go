package table

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons why a ruleset cannot be programmed anywhere; tested with errors.Is.
// Beside them are fs.ErrNotExist (a jump to a chain that is not there), fs.ErrExist
// (two tables of one ID, two chains of one name), chain.ErrName, chain.ErrPolicy,
// and those of package rule.
var (
	ErrNoTable   = errors.New("no such table")
	ErrBothOne   = errors.New("a table for both families beside one for a single family")
	ErrHook      = errors.New("the table has no such built-in chain")
	ErrBuiltIn   = errors.New("a built-in chain cannot be jumped to")
	ErrLoop      = errors.New("the chains jump in a loop")
	ErrDepth     = errors.New("jumps too deep")
	ErrPlace     = errors.New("not in this table or chain")
	ErrInterface = errors.New("the chain's packets have no such interface")

	ErrKey           = errors.New("the rule's fields are not the key of set")
	ErrQuote         = errors.New("unfinished quotes") // in a set's line
	ErrUnknownTarget = errors.New("unknown target")    // one of iptables' that this release has not
)

// Error says what is wrong with a ruleset, and where.
type Error struct {
	Table     ID
	Chain     string // "": the table itself
	Set       string // the set that is wrong; "": not about a set itself
	Rule      int    // the rule's number, from 1; 0: the chain itself
	Text      string // the rule as iptables-save prints it; "" where there is none
	Extension string // the match or target that is wrong; "" for none
	Err       error  // the reason
}

// Error is "filter INPUT rule 500: reason (the rule's text)".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Table.String())
	if e.Chain != "" {
		b.WriteString(" " + e.Chain)
	}
	if e.Set != "" {
		b.WriteString(" set " + e.Set)
	}
	if e.Rule > 0 {
		fmt.Fprintf(&b, " rule %d", e.Rule)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Text != "" {
		fmt.Fprintf(&b, " (%s)", e.Text)
	}
	return b.String()
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// LoopError is chains that jump in a loop.
type LoopError struct {
	Path []string // the chains in the order of the jumps; the last is the first again
}

// Error names the path.
func (e *LoopError) Error() string {
	return ErrLoop.Error() + ": " + strings.Join(e.Path, " -> ")
}

// Unwrap is ErrLoop.
func (e *LoopError) Unwrap() error { return ErrLoop }

// DepthError is jumps that go deeper than the kernel follows them.
type DepthError struct {
	Path []string // the chains in the order of the jumps, from a built-in one
}

// Error says how deep it goes, and names the path.
func (e *DepthError) Error() string {
	return fmt.Sprintf("%v: %d chains below %s, and the kernel takes %d: %s",
		ErrDepth, len(e.Path)-1, e.Path[0], MaxDepth, strings.Join(e.Path, " -> "))
}

// Unwrap is ErrDepth.
func (e *DepthError) Unwrap() error { return ErrDepth }

// PlaceError is a match or target in a table or chain whose packets it cannot
// be used for.
type PlaceError struct {
	Extension string
	Tables    []string // the tables that have it; nil: the chain is what is wrong
	Chains    []string // the built-in chains that may reach it
	From      []string // the built-in chains that do and may not
}

// Error says where it may be used.
func (e *PlaceError) Error() string {
	if e.Tables != nil {
		return fmt.Sprintf("%s: %v: only in %s", e.Extension, ErrPlace, strings.Join(e.Tables, ", "))
	}
	return fmt.Sprintf("%s: %v: only for packets of %s, and here come those of %s",
		e.Extension, ErrPlace, strings.Join(e.Chains, ", "), strings.Join(e.From, ", "))
}

// Unwrap is ErrPlace.
func (e *PlaceError) Unwrap() error { return ErrPlace }
