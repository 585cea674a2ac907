package match

import (
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Address is -s or -d: an address under a mask, contiguous or not.
//
// It is native: a payload load of the network header, with a bitwise step where
// the mask does not end at a byte. An empty mask matches everything and is
// dropped when the rule is made; inverted it matches nothing, as in iptables.
type Address struct {
	Dest bool        // -d; false: -s
	Net  Opt[nf.Net] // which addresses; absent is an error
}

// Source matches the source address: a netip.Addr, a netip.Prefix or an nf.Net.
func Source[N nf.Network](n N) Address { return Address{Net: Is(nf.NetOf(n))} }

// NotSource is "! -s n".
func NotSource[N nf.Network](n N) Address { return Address{Net: Not(nf.NetOf(n))} }

// Dest matches the destination address.
func Dest[N nf.Network](n N) Address { return Address{Dest: true, Net: Is(nf.NetOf(n))} }

// NotDest is "! -d n".
func NotDest[N nf.Network](n N) Address { return Address{Dest: true, Net: Not(nf.NetOf(n))} }

// Name is "": -s and -d are no extension.
func (Address) Name() string { return "" }

func (Address) ext() option.Extension { return nil }

// Slot is -s' or -d's place.
func (a Address) Slot() int {
	if a.Dest {
		return slotDest
	}
	return slotSource
}

// Family is the address's.
func (a Address) Family() nf.Family { return a.Net.v.Family() }

// Err is not nil for an address that was not given or not valid.
func (a Address) Err() error { return a.Net.v.Err() }

// Text is "-s 10.0.0.0/8"; "" where every address will do.
func (a Address) Text() string {
	if !a.Net.not && a.Net.v.All() {
		return ""
	}
	var room [64]byte
	b := room[:0]
	if a.Net.not {
		b = append(b, "! "...)
	}
	if a.Dest {
		b = append(b, "-d "...)
	} else {
		b = append(b, "-s "...)
	}
	return string(a.Net.v.AppendTo(b))
}

// addressField is where an address is in the network header.
func addressField(f nf.Family, dest bool) (offset, length uint32) {
	switch {
	case f == nf.IPv4 && !dest:
		return 12, 4
	case f == nf.IPv4:
		return 16, 4
	case !dest:
		return 8, 16
	}
	return 24, 16
}

// Compile compares the address. A mask that ends at a byte becomes a shorter
// load, as nft and iptables-nft write it.
func (a Address) Compile(c *program.Code) error {
	offset, length := addressField(a.Family(), a.Dest)
	addr, mask := a.Net.v.Addr().AsSlice(), a.Net.v.Mask().AsSlice()
	load := program.Payload{Base: program.Network, Offset: offset, Len: length}
	if p, ok := a.Net.v.Prefix(); ok && p.Bits()%8 == 0 && p.Bits() > 0 {
		load.Len = uint32(p.Bits() / 8)
		c.Test(program.IsValue(load, a.Net.not, program.Bytes(addr[:load.Len]...)))
		return nil
	}
	c.Test(program.IsMasked(load, a.Net.not, program.Bytes(mask...), program.Bytes(addr...)))
	return nil
}

func readAddress(t program.Test, env program.Env) (Header, bool) {
	load, ok := t.Load.(program.Payload)
	if !ok || load.Base != program.Network || t.Op != program.IsEq && t.Op != program.IsNe {
		return nil, false
	}
	for _, f := range [...]nf.Family{nf.IPv4, nf.IPv6} {
		if f == nf.IPv4 && (!env.V4() || env.Both()) || f == nf.IPv6 && (!env.V6() || env.Both()) {
			continue
		}
		for _, dest := range [...]bool{false, true} {
			offset, length := addressField(f, dest)
			if load.Offset != offset || load.Len > length || len(t.A.Data) != int(load.Len) {
				continue
			}
			b := make([]byte, length)
			copy(b, t.A.Data)
			addr, _ := netip.AddrFromSlice(b)
			mask := nf.PrefixMask(int(load.Len)*8, f.Bits())
			if t.Mask != (program.Value{}) {
				if len(t.Mask.Data) != int(length) {
					return nil, false
				}
				mask, _ = netip.AddrFromSlice([]byte(t.Mask.Data))
			}
			n := nf.Masked(addr, mask)
			return Address{Dest: dest, Net: isOrNot(t.Not(), n)}, n.Err() == nil
		}
	}
	return nil, false
}
