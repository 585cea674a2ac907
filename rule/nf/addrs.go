package nf

import "net/netip"

// Addrs is one address or a closed range, for iprange, SNAT, DNAT and sets.
// 4-in-6 addresses become IPv4. The zero value is "not given".
type Addrs struct {
	lo, hi netip.Addr
	err    string
}

// Addr is the single address a.
func Addr(a netip.Addr) Addrs { return AddrRange(a, a) }

// AddrRange is lo to hi, both included; a backward range, a zone, and bounds of
// two families are errors where it is used.
func AddrRange(lo, hi netip.Addr) Addrs {
	switch {
	case !lo.IsValid() || !hi.IsValid():
		return Addrs{err: "invalid netip.Addr"}
	case lo.Zone() != "" || hi.Zone() != "":
		return Addrs{err: "invalid: an address with a zone, which packets do not carry"}
	}
	lo, hi = lo.Unmap(), hi.Unmap()
	switch {
	case lo.BitLen() != hi.BitLen():
		return Addrs{err: "invalid: " + lo.String() + " and " + hi.String() + " are of two families"}
	case hi.Less(lo):
		return Addrs{err: "invalid: " + lo.String() + "-" + hi.String() + " runs backward"}
	}
	return Addrs{lo: lo, hi: hi}
}

// Bounds returns the first and last address; both are invalid for the zero value.
func (a Addrs) Bounds() (lo, hi netip.Addr) { return a.lo, a.hi }

// Given says whether a was made by Addr or AddrRange, well or badly.
func (a Addrs) Given() bool { return a != Addrs{} }

// Single says whether a is one address.
func (a Addrs) Single() bool { return a.lo.IsValid() && a.lo == a.hi }

// Err says why a cannot be used; it is not nil for the zero value.
func (a Addrs) Err() error {
	switch {
	case a.err != "":
		return &ValueError{Kind: "address", Reason: a.err}
	case !a.lo.IsValid():
		return &ValueError{Kind: "address", Reason: "invalid: not given"}
	}
	return nil
}

// Family is that of the bounds.
func (a Addrs) Family() Family { return FamilyOf(a.lo) }

// String is "10.0.0.1" or "10.0.0.1-10.0.0.9"; "" for the zero value.
func (a Addrs) String() string {
	switch {
	case !a.lo.IsValid():
		return ""
	case a.lo == a.hi:
		return a.lo.String()
	}
	return a.lo.String() + "-" + a.hi.String()
}
