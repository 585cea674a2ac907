package nf

import "fmt"

// TOSBits is a value of the type of service (IPv4) or the traffic class (IPv6),
// and the bits of it that count. The zero value is "not given", which TOS(0) is
// not.
type TOSBits struct {
	value, mask uint8
	given       bool
}

// TOS is all 8 bits of v.
func TOS(v uint8) TOSBits { return TOSBits{v, 0xff, true} }

// TOSMask is the bits of v under mask. Bits of v outside the mask are kept as
// given: a match with such bits can never be true, as in iptables.
func TOSMask(v, mask uint8) TOSBits { return TOSBits{v, mask, true} }

// Value is the type of service.
func (t TOSBits) Value() uint8 { return t.value }

// Mask is the bits that count.
func (t TOSBits) Mask() uint8 { return t.mask }

// Given says whether t was made by TOS or TOSMask.
func (t TOSBits) Given() bool { return t.given }

// Err is not nil for the zero value.
func (t TOSBits) Err() error {
	if !t.given {
		return &ValueError{Kind: "TOS", Reason: "not given"}
	}
	return nil
}

// String is "0x10/0xff", as iptables prints it; "" for the zero value.
func (t TOSBits) String() string {
	if !t.given {
		return ""
	}
	return fmt.Sprintf("0x%02x/0x%02x", t.value, t.mask)
}
