package target

import (
	"encoding/binary"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// natRange is what the structs of the NAT targets say, in any of their layouts.
type natRange struct {
	to    nf.Addrs
	ports nf.Ports
	base  uint16 // DNAT's; 0: none
	flags uint32 // those that the addresses and ports do not imply
}

// natXT completes the kernel form of a NAT target that has one layout for IPv4,
// of revision 0, and one for IPv6.
func natXT[T any](rev6 uint8, of func(T) natRange, from func(natRange) T) *option.XT[T] {
	x := option.XT[T]{Target: true, Tables: []string{"nat"}}
	x.Encode = func(t T, env program.Env) (uint8, string) {
		if env.Family == program.IP6 {
			return rev6, xtables.Encode(of(t).six())
		}
		return 0, xtables.Encode(of(t).four())
	}
	x.Decode = func(rev uint8, info string, env program.Env) (t T, ok bool) {
		var n natRange
		if env.Family == program.IP6 {
			b, is := xtables.Decode[xtables.NATRange](info)
			n, ok = rangeOf(b.Flags, b.MinAddr[:], b.MaxAddr[:], b.MinPort, b.MaxPort)
			ok = ok && is && rev == rev6 && n.six() == b
		} else {
			b, is := xtables.Decode[xtables.NATRange4](info)
			n, ok = rangeOf(b.Flags, b.MinAddr[:], b.MaxAddr[:], b.MinPort, b.MaxPort)
			ok = ok && is && rev == 0 && n.four() == b
		}
		return from(n), ok
	}
	return &x
}

// allFlags are flags with those that the addresses and ports imply.
func (n natRange) allFlags() uint32 {
	f := n.flags
	if n.to.Given() {
		f |= rangeAddrs
	}
	if n.ports.Given() {
		f |= rangePorts
	}
	if n.base != 0 {
		f |= rangeOffset
	}
	return f
}

// put stores the bounds in network order.
func (n natRange) put(minAddr, maxAddr []byte, minPort, maxPort *[2]byte) {
	if n.to.Given() {
		lo, hi := n.to.Bounds()
		copy(minAddr, lo.AsSlice())
		copy(maxAddr, hi.AsSlice())
	}
	lo, hi, _ := n.ports.Bounds()
	binary.BigEndian.PutUint16(minPort[:], lo)
	binary.BigEndian.PutUint16(maxPort[:], hi)
}

func (n natRange) four() xtables.NATRange4 {
	b := xtables.NATRange4{Ranges: 1, Flags: n.allFlags()}
	n.put(b.MinAddr[:], b.MaxAddr[:], &b.MinPort, &b.MaxPort)
	return b
}

func (n natRange) six() xtables.NATRange {
	b := xtables.NATRange{Flags: n.allFlags()}
	n.put(b.MinAddr[:], b.MaxAddr[:], &b.MinPort, &b.MaxPort)
	return b
}

func (n natRange) two() xtables.NATRange2 {
	b := xtables.NATRange2{Flags: n.allFlags()}
	n.put(b.MinAddr[:], b.MaxAddr[:], &b.MinPort, &b.MaxPort)
	binary.BigEndian.PutUint16(b.BasePort[:], n.base)
	return b
}

// rangeOf reads what the layouts have in common; the lengths of the addresses
// are the family's.
func rangeOf(flags uint32, minAddr, maxAddr []byte, minPort, maxPort [2]byte) (n natRange, ok bool) {
	n.flags = flags &^ (rangeAddrs | rangePorts | rangeOffset)
	if flags&rangeAddrs != 0 {
		lo, _ := netip.AddrFromSlice(minAddr)
		hi, _ := netip.AddrFromSlice(maxAddr)
		if n.to = nf.AddrRange(lo, hi); n.to.Err() != nil {
			return n, false
		}
	}
	if flags&rangePorts != 0 {
		n.ports = nf.PortRange(binary.BigEndian.Uint16(minPort[:]), binary.BigEndian.Uint16(maxPort[:]))
		if n.ports.Err() != nil {
			return n, false
		}
	}
	return n, true
}
