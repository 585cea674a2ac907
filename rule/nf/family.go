package nf

import "net/netip"

// Family says which IP versions a table or a rule is for. The zero value is Both.
type Family uint8

// The families; no other value is one.
const (
	Both Family = 0 // IPv4 and IPv6
	IPv4 Family = 4
	IPv6 Family = 6
)

// FamilyOf is the family of an address; a 4-in-6 address is IPv4. It is Both
// for the invalid address, which whatever takes the address refuses by itself.
func FamilyOf(a netip.Addr) Family {
	switch {
	case !a.IsValid():
		return Both
	case a.Unmap().Is4():
		return IPv4
	}
	return IPv6
}

// And is the narrower of two families; ok is false when they exclude each other.
func (f Family) And(g Family) (h Family, ok bool) {
	switch {
	case f == Both:
		return g, true
	case g == Both, f == g:
		return f, true
	}
	return f, false
}

// Has says whether packets of family g belong to f; g is IPv4 or IPv6.
func (f Family) Has(g Family) bool { return f == Both || f == g }

// Bits is the length of an address in bits: 32, 128, or 0 for Both.
func (f Family) Bits() int {
	switch f {
	case IPv4:
		return 32
	case IPv6:
		return 128
	}
	return 0
}

// String is "IPv4", "IPv6" or "IPv4 and IPv6".
func (f Family) String() string {
	switch f {
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	}
	return "IPv4 and IPv6"
}
