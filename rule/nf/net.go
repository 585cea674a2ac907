package nf

import (
	"math/bits"
	"net/netip"
	"strconv"
)

// Net is an address and a mask, contiguous or not. 4-in-6 addresses (what
// net.Conn often reports) become IPv4; zones are refused. The zero value is
// "not given" and an error where it is used.
type Net struct {
	addr, mask netip.Addr
	err        string
}

// Network is what an address match takes: one address, a prefix, or an address with any mask.
// Strings are not accepted: parse them with netip, which reports what is wrong.
type Network interface {
	netip.Addr | netip.Prefix | Net
}

// NetOf turns an address or prefix into a Net; host bits are cleared as iptables does.
func NetOf[N Network](n N) Net {
	switch n := any(n).(type) {
	case Net:
		return n
	case netip.Addr:
		return Masked(n, fullMask(n))
	case netip.Prefix:
		if !n.IsValid() {
			return Net{err: "invalid netip.Prefix"}
		}
		a, length := n.Addr(), n.Bits()
		if a.Is4In6() {
			if length < 96 {
				return Net{err: "invalid netip.Prefix " + n.String() + ": a 4-in-6 prefix shorter than 96 bits is no network"}
			}
			a, length = a.Unmap(), length-96
		}
		return Masked(a, PrefixMask(length, a.BitLen()))
	}
	return Net{}
}

// Masked is addr under an arbitrary mask, as -s 10.0.0.1/255.0.255.0 takes it.
func Masked(addr, mask netip.Addr) Net {
	switch {
	case !addr.IsValid():
		return Net{err: "invalid netip.Addr"}
	case addr.Zone() != "":
		return Net{err: "invalid: " + addr.String() + " has a zone, which packets do not carry"}
	}
	addr, mask = addr.Unmap(), mask.Unmap()
	if addr.BitLen() != mask.BitLen() {
		return Net{err: "invalid: the mask of " + addr.String() + " is not of its family"}
	}
	a, m := addr.AsSlice(), mask.AsSlice()
	for i := range a {
		a[i] &= m[i]
	}
	addr, _ = netip.AddrFromSlice(a)
	return Net{addr: addr, mask: mask}
}

// PrefixMask is the mask of the first n of bits (32 or 128) bits.
func PrefixMask(n, length int) netip.Addr {
	m := make([]byte, length/8)
	for i := range n {
		m[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(m)
	return a
}

func fullMask(a netip.Addr) netip.Addr { return PrefixMask(a.Unmap().BitLen(), a.Unmap().BitLen()) }

// Addr is the address, host bits cleared.
func (n Net) Addr() netip.Addr { return n.addr }

// Mask is the mask, of the address's family.
func (n Net) Mask() netip.Addr { return n.mask }

// Given says whether n was made by NetOf or Masked, well or badly.
func (n Net) Given() bool { return n != Net{} }

// Err says why n cannot be used; it is not nil for the zero value.
func (n Net) Err() error {
	switch {
	case n.err != "":
		return &ValueError{Kind: "address", Reason: n.err}
	case !n.addr.IsValid():
		return &ValueError{Kind: "address", Reason: "invalid: not given"}
	}
	return nil
}

// Family is the address's family.
func (n Net) Family() Family { return FamilyOf(n.addr) }

// All says whether the mask is empty, so that every address is in n.
func (n Net) All() bool {
	p, ok := n.Prefix()
	return ok && p.Bits() == 0
}

// Prefix returns the network as a prefix; ok is false when the mask has holes or n has an error.
func (n Net) Prefix() (p netip.Prefix, ok bool) {
	if n.Err() != nil {
		return p, false
	}
	ones, done := 0, false
	for _, b := range n.mask.AsSlice() {
		k := bits.LeadingZeros8(^b)
		if done && b != 0 || k < 8 && b<<k != 0 {
			return p, false
		}
		ones += k
		done = done || k < 8
	}
	return netip.PrefixFrom(n.addr, ones), true
}

// String is "10.0.0.0/8", or "10.0.0.1/255.0.255.0" where the mask has holes.
func (n Net) String() string {
	var room [64]byte
	return string(n.AppendTo(room[:0]))
}

// AppendTo appends what String prints.
func (n Net) AppendTo(b []byte) []byte {
	p, prefix := n.Prefix()
	switch {
	case !prefix && n.Err() != nil:
		return append(b, '?')
	case !prefix:
		return n.mask.AppendTo(append(n.addr.AppendTo(b), '/'))
	}
	return strconv.AppendInt(append(n.addr.AppendTo(b), '/'), int64(p.Bits()), 10)
}
