package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Header is what the matches before -m have in common: a place of their own in
// the rule, so that the order in which they are given does not matter.
type Header interface {
	Match
	// Slot is the match's place among the header matches, as iptables-save prints
	// them: -4, -s, -d, -i, -o, -p, -f. Each may be taken once.
	Slot() int
	// Text is the match as iptables-save prints it, "" for one that says nothing.
	Text() string
	// Family is the family that the match restricts its rule to.
	Family() nf.Family
	// Err says why the match cannot be programmed.
	Err() error
}

// The places of header matches.
const (
	slotVersion = iota
	slotSource
	slotDest
	slotIn
	slotOut
	slotProtocol
	slotFragment
)

// ReadHeader takes the header match that comes next off a program; ok is false
// where there is none. -4 and -6 are the compiler's to read, since they have no
// expression of their own in a table for one family.
func ReadHeader(r *program.Reader) (m Header, ok bool) {
	t, ok := r.Test(0)
	if !ok {
		return nil, false
	}
	read := [...]func(program.Test, program.Env) (Header, bool){readIface, readProtocol, readAddress, readFragment}
	for _, f := range read {
		if m, ok := f(t, r.Env); ok {
			r.Take(1)
			return m, true
		}
	}
	return nil, false
}
