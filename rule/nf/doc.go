// Package nf is the vocabulary that netip lacks: families, protocols, ports,
// marks, masked networks and address ranges, as netfilter means them.
//
// Every type is comparable and made by a constructor. The zero value of a value
// type means "not given"; it never means "any". A constructor that is fed
// nonsense (an invalid netip.Addr, a backward range) returns a value whose Err
// is not nil, and whatever uses it refuses it by name. So nothing that is
// forgotten or fails to parse can widen a rule.
package nf

import "fmt"

// ValueError says why a value cannot be used in a rule.
type ValueError struct {
	Kind   string // what the value is: "port range", "address", …
	Value  string // the value as it was given; "" where there was none
	Reason string // what is wrong with it
}

// Error is "kind value: reason".
func (e *ValueError) Error() string {
	if e.Value == "" {
		return e.Kind + " " + e.Reason
	}
	return fmt.Sprintf("%s %s: %s", e.Kind, e.Value, e.Reason)
}

// Counters are packets and bytes, as a rule or a policy counted them. Both
// wrap at 2⁶⁴ like the kernel's.
type Counters struct{ Packets, Bytes uint64 }

// Add is the sum of two counters.
func (c Counters) Add(d Counters) Counters {
	return Counters{c.Packets + d.Packets, c.Bytes + d.Bytes}
}

// String is "packets:bytes", as iptables-save prints it between brackets.
func (c Counters) String() string { return fmt.Sprintf("%d:%d", c.Packets, c.Bytes) }
