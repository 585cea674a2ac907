package backend

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// What a caller can ask an error with errors.Is, beside fs.ErrNotExist (chain,
// rule or table), fs.ErrExist, fs.ErrPermission, fs.ErrClosed and context errors.
var (
	ErrInvalid     = errors.New("not a valid ruleset")               // found before anything was sent; refused by every kernel
	ErrUnsupported = errors.New("not supported by this kernel")      // Feature and Hint say what is missing
	ErrInexact     = errors.New("cannot be programmed exactly here") // would need another owner or family; Hint says which
	ErrConflict    = errors.New("another writer came in between")    // retries are used up, or a Plan is stale
	ErrNotOurs     = errors.New("table belongs to another program")
	ErrNewer       = errors.New("written by a newer release") // read only
	ErrInUse       = errors.New("still referenced")           // chain or set; Hint says by what
	ErrOnProbation = errors.New("a change is on probation")   // confirm or revert it first
	ErrRefused     = errors.New("refused by a guard")
	ErrTooLarge    = errors.New("larger than one transaction can be here")
	ErrUnstable    = errors.New("ruleset kept changing while it was read")
	ErrUncertain   = errors.New("unknown whether it was applied") // connection lost after sending; Read tells
)

// Error says what failed, where and why. Methods of Firewall return it, alone or
// several joined: Errors yields them all.
type Error struct {
	Op        string    // "apply", "add rule", "add chain", "read", …
	Table     table.ID  // zero: not about a table
	Chain     string    // "": not about a chain
	Rule      int       // number from 1 in the ruleset the caller gave; 0: not about a rule
	Set       string    // "": not about a set
	Text      string    // the rule in iptables syntax, or the element in ipset's
	Extension string    // match or target at fault, where known
	Family    nf.Family // where only one family fails
	Feature   string    // kernel module or option that is missing, with ErrUnsupported
	Kernel    string    // the kernel's own words (extended ack)
	Hint      string    // what to do about it
	Err       error     // identity and errno: errors.Is(err, ErrUnsupported), errors.Is(err, unix.EBUSY)
}

// Errors are all the *Error values in err's tree, in order.
func Errors(err error) []*Error {
	var out []*Error
	switch e := err.(type) {
	case nil:
	case *Error:
		out = append(out, e)
	case interface{ Unwrap() []error }:
		for _, x := range e.Unwrap() {
			out = append(out, Errors(x)...)
		}
	case interface{ Unwrap() error }:
		out = Errors(e.Unwrap())
	}
	return out
}

// Error is "add rule: filter INPUT rule 5 (-j X): reason; hint".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if where := e.where(); where != "" {
		b.WriteString(": " + where)
	}
	if e.Text != "" {
		fmt.Fprintf(&b, " (%s)", e.Text)
	}
	if e.Family != nf.Both {
		fmt.Fprintf(&b, " for %v", e.Family)
	}
	reason := fmt.Sprint(e.Err)
	if e.Extension != "" && !strings.Contains(reason, e.Extension) {
		b.WriteString(": " + e.Extension)
	}
	b.WriteString(": " + reason)
	if e.Feature != "" {
		b.WriteString(" (" + e.Feature + " is missing)")
	}
	if e.Kernel != "" {
		fmt.Fprintf(&b, " (kernel: %s)", e.Kernel)
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// where is "filter INPUT rule 5", or "IPv4 filter INPUT rule 5".
func (e *Error) where() string {
	var words []string
	if e.Table != 0 {
		words = append(words, e.Table.String())
	}
	if e.Chain != "" {
		words = append(words, e.Chain)
	}
	if e.Set != "" {
		words = append(words, "set "+e.Set)
	}
	if e.Rule > 0 {
		words = append(words, fmt.Sprintf("rule %d", e.Rule))
	}
	return strings.Join(words, " ")
}

// Unwrap is the identity and the errno beneath.
func (e *Error) Unwrap() error { return e.Err }
