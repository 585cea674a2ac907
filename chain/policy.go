package chain

import "fmt"

// Policy is what happens at the end of a built-in chain. The zero value is none,
// which is an error in BuiltIn.
type Policy uint8

// The policies that iptables has.
const (
	Accept Policy = iota + 1
	Drop
)

// String is "ACCEPT" or "DROP"; "-", as iptables-save prints for a user chain, for none.
func (p Policy) String() string {
	switch p {
	case Accept:
		return "ACCEPT"
	case Drop:
		return "DROP"
	}
	return "-"
}

// ParsePolicy reads "ACCEPT" or "DROP", as -P takes them. The error is ErrPolicy.
func ParsePolicy(s string) (Policy, error) {
	switch s {
	case "ACCEPT":
		return Accept, nil
	case "DROP":
		return Drop, nil
	}
	return 0, fmt.Errorf("%w: bad policy name %q: ACCEPT or DROP", ErrPolicy, s)
}
