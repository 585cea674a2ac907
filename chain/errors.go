package chain

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons why a chain cannot be used; tested with errors.Is.
var (
	ErrName   = errors.New("bad chain name")
	ErrPolicy = errors.New("bad policy")
)

// Error says what is wrong with a chain.
type Error struct {
	Chain     string // its name
	Rule      int    // the rule's number, from 1; 0: the chain itself
	Text      string // the rule as iptables-save prints it; "" where there is none
	Extension string // the match or target that is wrong; "" for none
	Err       error  // the reason
}

// Error is "INPUT rule 3: reason (the rule's text)".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Chain)
	if e.Chain == "" {
		b.WriteString("chain without a name")
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
