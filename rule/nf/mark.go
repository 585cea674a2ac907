package nf

import "fmt"

// MarkBits is a packet or connection mark and the bits of it that count.
// The zero value is "not given", which Mark(0) is not.
type MarkBits struct {
	value, mask uint32
	given       bool
}

// Mark is all 32 bits of v.
func Mark(v uint32) MarkBits { return MarkBits{v, 0xffffffff, true} }

// MarkMask is the bits of v under mask. Bits of v outside the mask are kept as
// given: a match with such bits can never be true, as in iptables.
func MarkMask(v, mask uint32) MarkBits { return MarkBits{v, mask, true} }

// Value is the mark.
func (m MarkBits) Value() uint32 { return m.value }

// Mask is the bits that count.
func (m MarkBits) Mask() uint32 { return m.mask }

// Given says whether m was made by Mark or MarkMask.
func (m MarkBits) Given() bool { return m.given }

// Err is not nil for the zero value.
func (m MarkBits) Err() error {
	if !m.given {
		return &ValueError{Kind: "mark", Reason: "not given"}
	}
	return nil
}

// String is "0x1" or "0x1/0xff", as iptables prints it; "" for the zero value.
func (m MarkBits) String() string {
	switch {
	case !m.given:
		return ""
	case m.mask == 0xffffffff:
		return fmt.Sprintf("%#x", m.value)
	}
	return fmt.Sprintf("%#x/%#x", m.value, m.mask)
}
