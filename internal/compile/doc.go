// Package compile makes programs from rulesets and rulesets from programs.
//
// Going down it walks the model and calls each extension's Compile, places a
// table for both families (in an inet table, or in an ip and an ip6 table where
// an extension has no exact form in inet), spells chain names so that nft can
// read them, and writes what expressions cannot say into userdata. Coming up it
// asks the extensions to read themselves off a program, compiles what they made
// of it, and compares: a rule that does not come out as it went in is shown as
// opaque and kept to the byte.
package compile

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Options say for whom a ruleset is compiled.
type Options struct {
	Owner     string // whose tables they are; Plain where it is the owner iptables
	Plain     bool   // iptables' own table names, shared with iptables-nft
	Offset    int32  // added to every priority
	Uncounted bool   // no counter in rules that preset none
	// Keeper is asked for the programs of rules that were read and are written back
	// to the byte; nil: there are none.
	Keeper func() *Keeper
	// Fresh says which rules (line from 1) and policies (line 0) begin with the
	// counters that they have here; nil: none.
	Fresh func(id table.ID, chain string, line int) bool
	// SetName is the name that a set of one's own has in the kernel, where another
	// than compile would give it; "": none. nil: no set has.
	SetName func(f program.Family, id table.ID, name string, as *program.Set) string
}

// Error is a rule that cannot be programmed where it was asked for.
type Error struct {
	Table     table.ID
	Chain     string
	Rule      int    // from 1; 0: not about a rule
	Set       string // "": not about a set
	Text      string
	Extension string
	Family    nf.Family // where only one family fails
	Err       error
}

// Error is "filter INPUT rule 5: reason".
func (e *Error) Error() string {
	if e.Set != "" {
		return e.setError()
	}
	return fmt.Sprintf("%s %s rule %d: %v", e.Table.Name(), e.Chain, e.Rule, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }
