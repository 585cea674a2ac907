package match

import (
	"encoding/binary"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ctTuple is one address or port of a connection: the key of an IPv4 address,
// of an IPv6 address and of a port, and the direction.
type ctTuple struct {
	addr4, addr6, port program.CTKey
	dir                program.Dir
}

// ctTuples are in the kernel's order.
var ctTuples = [4]ctTuple{
	{program.CTSrcIP, program.CTSrcIP6, program.CTProtoSrc, program.Original},
	{program.CTDstIP, program.CTDstIP6, program.CTProtoDst, program.Original},
	{program.CTSrcIP, program.CTSrcIP6, program.CTProtoSrc, program.Reply},
	{program.CTDstIP, program.CTDstIP6, program.CTProtoDst, program.Reply},
}

// native is the one comparison that the match is in nf_tables; ok is false where
// there is none that is exact.
func (m Conntrack) native(env program.Env) (t program.Test, ok bool) {
	if s, not, ok := m.State.Get(); ok && m == (Conntrack{State: m.State}) {
		return stateTest(not, s), s&translated == 0
	}
	if p, not, ok := m.Proto.Get(); ok && m == (Conntrack{Proto: m.Proto}) {
		return program.IsValue(program.CT{Key: program.CTProto}, not, program.Host8(uint8(p))), true
	}
	if s, not, ok := m.Status.Get(); ok && m == (Conntrack{Status: m.Status}) {
		return statusTest(not, s), true
	}
	if m.Dir != 0 && m == (Conntrack{Dir: m.Dir}) {
		return program.IsValue(program.CT{Key: program.CTDirection}, false, program.Host8(uint8(m.Dir)-1)), true
	}
	for i := range ctTuples {
		if n, not, ok := m.addresses()[i].Get(); ok && m == ctAddress(i, isOrNot(not, n)) {
			return ctAddressTest(i, not, n), env.Table != "raw"
		}
		if p, not, ok := m.ports()[i].Get(); ok && m == ctPort(i, isOrNot(not, p)) {
			return ctPortTest(i, not, p), ctPortsNative(env)
		}
	}
	return t, false
}

// ctPortsNative says whether nft can print and load a port of the connection: it
// wants to know the protocol.
func ctPortsNative(env program.Env) bool {
	return !env.ProtoNot && (env.Proto == uint8(nf.TCP) || env.Proto == uint8(nf.UDP))
}

// ctAddress and ctPort are a match of one address or port.
func ctAddress(i int, n Opt[nf.Net]) (m Conntrack) {
	*m.addresses()[i] = n
	return m
}

func ctPort(i int, p Opt[nf.Ports]) (m Conntrack) {
	*m.ports()[i] = p
	return m
}

func statusTest(not bool, s CTStatus) program.Test {
	mask := program.Host32(uint32(s &^ NoStatus))
	return program.IsMasked(program.CT{Key: program.CTStatus}, !not, mask, program.Host32(0))
}

func ctAddressTest(i int, not bool, n nf.Net) program.Test {
	load := program.CT{Key: ctTuples[i].addr4, Dir: ctTuples[i].dir}
	if n.Family() == nf.IPv6 {
		load.Key = ctTuples[i].addr6
	}
	addr := program.Bytes(n.Addr().AsSlice()...)
	if p, _ := n.Prefix(); p.IsSingleIP() {
		return program.IsValue(load, not, addr)
	}
	return program.IsMasked(load, not, program.Bytes(n.Mask().AsSlice()...), addr)
}

func ctPortTest(i int, not bool, p nf.Ports) program.Test {
	lo, hi, _ := p.Bounds()
	load := program.CT{Key: ctTuples[i].port, Dir: ctTuples[i].dir}
	return program.IsWithin(load, not, program.Net16(lo), program.Net16(hi))
}

// readConntrack reads the one comparison that Compile writes.
func readConntrack(r *program.Reader) (m Conntrack, ok bool) {
	t, ok := r.Test(0)
	if !ok {
		return m, false
	}
	m = readCT(t)
	if again, ok := m.native(r.Env); !ok || again != t || checkConntrack(&m, option.Context{}) != nil {
		return m, false
	}
	r.Take(1)
	return m, true
}

// readCT reads what a comparison of a connection's field says; the caller sees
// whether it says nothing more.
func readCT(t program.Test) (m Conntrack) {
	load, ok := t.Load.(program.CT)
	if !ok {
		return m
	}
	n, _ := t.A.Uint()
	mask, _ := t.Mask.Uint()
	switch load.Key {
	case program.CTState:
		m.State, _ = readStateTest(t)
	case program.CTProto:
		m.Proto = isOrNot(t.Not(), nf.Protocol(n))
	case program.CTStatus:
		s := CTStatus(mask)
		if s == 0 {
			s = NoStatus
		}
		m.Status = isOrNot(t.Op == program.IsEq, s)
	case program.CTDirection:
		m.Dir = CTDir(n) + 1
	default:
		return readCTTuple(t, load)
	}
	return m
}

func readCTTuple(t program.Test, load program.CT) (m Conntrack) {
	for i, tuple := range ctTuples {
		if load.Dir != tuple.dir {
			continue
		}
		switch load.Key {
		case tuple.port:
			if lo, hi, ok := t.Bounds(); ok && len(lo.Data) == 2 && len(hi.Data) == 2 {
				first := binary.BigEndian.Uint16([]byte(lo.Data))
				return ctPort(i, isOrNot(t.Not(), nf.PortRange(first, binary.BigEndian.Uint16([]byte(hi.Data)))))
			}
		case tuple.addr4, tuple.addr6:
			return ctAddress(i, isOrNot(t.Not(), netOf(t.A.Data, t.Mask.Data)))
		}
	}
	return m
}

// netOf is the network of an address and its mask, "" for the whole of it; the
// zero value where they are none.
func netOf(addr, mask string) nf.Net {
	a, _ := netip.AddrFromSlice([]byte(addr))
	n := nf.NetOf(a)
	if mask != "" {
		m, _ := netip.AddrFromSlice([]byte(mask))
		n = nf.Masked(a, m)
	}
	if _, ok := n.Prefix(); !ok {
		return nf.Net{}
	}
	return n
}

// blob is the match as xt_conntrack takes it. alias is xtables.ConntrackStateAlias or 0.
func (m Conntrack) blob(alias uint16) xtables.Conntrack {
	b := xtables.Conntrack{Match: alias}
	add := func(bit uint16, given, not bool) {
		if given {
			b.Match |= bit
		}
		if not {
			b.Invert |= bit
		}
	}
	s, not, ok := m.State.Get()
	b.State = xtState(s)
	add(xtables.ConntrackState, ok, not)
	p, not, ok := m.Proto.Get()
	b.Proto = uint16(p)
	add(xtables.ConntrackProto, ok, not)
	for i, field := range ctAddressFields(&b) {
		n, not, ok := m.addresses()[i].Get()
		copy(field[0][:], n.Addr().AsSlice())
		*field[1] = xtMask(n)
		add(xtables.ConntrackOrigSource<<i, ok, not)
		ports, not, ok := m.ports()[i].Get()
		b.First[i], b.Last[i], _ = ports.Bounds()
		add(xtables.ConntrackPorts<<i, ok, not)
	}
	status, not, ok := m.Status.Get()
	b.Status = uint16(status &^ NoStatus)
	add(xtables.ConntrackStatus, ok, not)
	expire, not, ok := m.Expire.Get()
	b.Expire = [2]uint32{expire.First, expire.Last}
	add(xtables.ConntrackExpire, ok, not)
	add(xtables.ConntrackDirection, m.Dir != 0, m.Dir == ReplyDir)
	return b
}

// xtMask is the mask as iptables writes it: for one address of either family all
// of the field is set, though IPv4 looks at its first four bytes only.
func xtMask(n nf.Net) (mask [16]byte) {
	if p, _ := n.Prefix(); p.IsSingleIP() {
		return prefixMask(128)
	}
	copy(mask[:], n.Mask().AsSlice())
	return mask
}

// ctAddressFields are the four addresses with their masks.
func ctAddressFields(b *xtables.Conntrack) [4][2]*[16]byte {
	return [4][2]*[16]byte{
		{&b.OrigSource, &b.OrigSourceMask}, {&b.OrigDest, &b.OrigDestMask},
		{&b.ReplySource, &b.ReplySourceMask}, {&b.ReplyDest, &b.ReplyDestMask},
	}
}

// xtState is the states' bits in xt_conntrack.
func xtState(s CTState) (bits uint16) {
	for i, bit := range xtStates {
		if s&(1<<i) != 0 {
			bits |= bit
		}
	}
	return bits
}

// xtStates are the bits of CTState's states, in its order.
var xtStates = [...]uint16{1, 2, 4, 8, xtables.ConntrackUntracked, xtables.ConntrackSNAT, xtables.ConntrackDNAT}

// readConntrackBlob reads what blob made; alias says that it is spelled as -m state.
func readConntrackBlob(b xtables.Conntrack, env program.Env) (m Conntrack, alias, ok bool) {
	has := func(bit uint16) bool { return b.Match&bit != 0 }
	not := func(bit uint16) bool { return b.Invert&bit != 0 }
	if has(xtables.ConntrackState) {
		var s CTState
		for i, bit := range xtStates {
			if b.State&bit != 0 {
				s |= 1 << i
			}
		}
		m.State = isOrNot(not(xtables.ConntrackState), s)
	}
	if has(xtables.ConntrackProto) {
		m.Proto = isOrNot(not(xtables.ConntrackProto), nf.Protocol(b.Proto))
	}
	if has(xtables.ConntrackStatus) {
		s := CTStatus(b.Status)
		if s == 0 {
			s = NoStatus
		}
		m.Status = isOrNot(not(xtables.ConntrackStatus), s)
	}
	if has(xtables.ConntrackExpire) {
		m.Expire = isOrNot(not(xtables.ConntrackExpire), SecondsRange{b.Expire[0], b.Expire[1]})
	}
	if has(xtables.ConntrackDirection) {
		m.Dir = OriginalDir
		if not(xtables.ConntrackDirection) {
			m.Dir = ReplyDir
		}
	}
	readXTTuples(&m, b, env)
	alias = has(xtables.ConntrackStateAlias)
	return m, alias, m.blob(b.Match&xtables.ConntrackStateAlias) == b
}

// readXTTuples reads the addresses, whose family the blob does not say, and ports.
func readXTTuples(m *Conntrack, b xtables.Conntrack, env program.Env) {
	length := 16
	if !env.V6() {
		length = 4
	}
	for i, field := range ctAddressFields(&b) {
		if bit := uint16(xtables.ConntrackOrigSource << i); b.Match&bit != 0 && !env.Both() {
			n := netOf(string(field[0][:length]), string(field[1][:length]))
			*m.addresses()[i] = isOrNot(b.Invert&bit != 0, n)
		}
		if bit := uint16(xtables.ConntrackPorts << i); b.Match&bit != 0 {
			p := nf.PortRange(b.First[i], b.Last[i])
			*m.ports()[i] = isOrNot(b.Invert&bit != 0, p)
		}
	}
}
