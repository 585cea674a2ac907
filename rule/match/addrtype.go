package match

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// AddrType is -m addrtype: what an address is to the routing table. The zero
// value is an error. IPv4 and IPv6.
//
//	[!] --src-type type[,type…]  [!] --dst-type type[,type…]
//	--limit-iface-in | --limit-iface-out
//
// For IPv4 it is native: fib saddr or daddr type, several types a set; both
// options in one match leave a note, which tells them from two matches. For IPv6
// it is xt_addrtype, which answers otherwise than nf_tables (its UNICAST has
// LOCAL in it, and of several types it wants all); so is THROW, NAT and
// XRESOLVE, which nft has no name for. The kernel has xt_addrtype for ip and ip6
// tables and not for inet. In the tables that are shared with iptables-nft it is
// always xt_addrtype. IPv6 has no BROADCAST, BLACKHOLE, PROHIBIT, THROW, NAT
// and XRESOLVE. It mirrors net/netfilter/xt_addrtype.c and
// net/ipv4/netfilter/nft_fib_ipv4.c.
//
// One difference: where the packet's interface belongs to a VRF, Linux 6.16 and
// newer look an address up in the VRF's table for fib, in the main one for
// xt_addrtype.
type AddrType struct {
	Src, Dst Opt[AddrKind] // --src-type, --dst-type
	LimitIn  bool          // --limit-iface-in: as the interface that the packet came in by has it; PREROUTING, INPUT, FORWARD
	LimitOut bool          // --limit-iface-out: as the one that it goes out by has it; FORWARD, OUTPUT, POSTROUTING
}

// DstLocal matches packets addressed to this host.
func DstLocal() AddrType { return AddrType{Dst: Is(Local)} }

// AddrKind is a set of address types as the routing table sees them. The zero
// value is the empty set, which is an error in a match.
type AddrKind uint16

const (
	Unspec      AddrKind = 1 << iota // UNSPEC: what no route has
	Unicast                          // UNICAST: another host's
	Local                            // LOCAL: this host's
	Broadcast                        // BROADCAST: every host's on a link
	Anycast                          // ANYCAST: one of several hosts'
	Multicast                        // MULTICAST: a group's
	Blackhole                        // BLACKHOLE: dropped silently
	Unreachable                      // UNREACHABLE: refused as unreachable
	Prohibit                         // PROHIBIT: refused as prohibited
	Throw                            // THROW: another table knows
	NATAddr                          // NAT: obsolete
	XResolve                         // XRESOLVE: resolved from outside

	allKinds   = XResolve<<1 - 1
	onlyIPv4   = Broadcast | Blackhole | Prohibit | Throw | NATAddr | XResolve
	nftUnnamed = Throw | NATAddr | XResolve
)

// addrKinds are in the order of the kernel's RTN_*, which iptables prints them in.
var addrKinds = []flagName[AddrKind]{
	{"UNSPEC", Unspec}, {"UNICAST", Unicast}, {"LOCAL", Local}, {"BROADCAST", Broadcast},
	{"ANYCAST", Anycast}, {"MULTICAST", Multicast}, {"BLACKHOLE", Blackhole}, {"UNREACHABLE", Unreachable},
	{"PROHIBIT", Prohibit}, {"THROW", Throw}, {"NAT", NATAddr}, {"XRESOLVE", XResolve},
}

// Err is not nil for the empty set and for types that there are not.
func (k AddrKind) Err() error {
	switch {
	case k == 0:
		return errors.New("no address type")
	case k&^allKinds != 0:
		return fmt.Errorf("no address type has the bits %#x", uint16(k&^allKinds))
	}
	return nil
}

// String is "UNICAST,LOCAL"; "" for the empty set.
func (k AddrKind) String() string { return printFlags(k, addrKinds) }

const addrtypeName = "addrtype"

// Name is "addrtype".
func (AddrType) Name() string { return addrtypeName }

func (AddrType) ext() option.Extension { return addrtype }

var addrtype = &option.Spec[AddrType]{
	Name: addrtypeName,
	Rows: []option.Row[AddrType]{
		opt("--src-type", func(m *AddrType) *Opt[AddrKind] { return &m.Src }, addrKind),
		opt("--dst-type", func(m *AddrType) *Opt[AddrKind] { return &m.Dst }, addrKind),
		option.Flag("--limit-iface-in", func(m *AddrType) *bool { return &m.LimitIn }),
		option.Flag("--limit-iface-out", func(m *AddrType) *bool { return &m.LimitOut }),
	},
	Check: func(m *AddrType, _ option.Context) error {
		switch {
		case !m.Src.Given() && !m.Dst.Given():
			return errors.New("you must specify --src-type or --dst-type")
		case m.LimitIn && m.LimitOut:
			return errors.New(`option "--limit-iface-in" cannot be used together with "--limit-iface-out"`)
		}
		return errors.Join(valid(m.Src), valid(m.Dst))
	},
	Needs: needsAddrType,
	List:  listAddrType,
	Read:  readAddrType,
	XT:    option.XTStruct(option.XT[AddrType]{}, 1, AddrType.blob, readAddrTypeBlob),
}

var addrKind = flagList("address types, like LOCAL,BROADCAST", "bad type", addrKinds)

func needsAddrType(m AddrType) (n option.Needs) {
	if (m.Src.v|m.Dst.v)&onlyIPv4 != 0 {
		n.Family = nf.IPv4
	}
	switch {
	case m.LimitIn:
		n.Chains = []string{"PREROUTING", "INPUT", "FORWARD"}
	case m.LimitOut:
		n.Chains = []string{"FORWARD", "OUTPUT", "POSTROUTING"}
	}
	return n
}

func listAddrType(m AddrType, _ *option.Lister) string {
	words := []string{"ADDRTYPE match"}
	if k, not, ok := m.Src.Get(); ok {
		words = append(words, "src-type "+bang(not)+k.String())
	}
	if k, not, ok := m.Dst.Get(); ok {
		words = append(words, "dst-type "+bang(not)+k.String())
	}
	if m.LimitIn {
		words = append(words, "limit-in")
	}
	if m.LimitOut {
		words = append(words, "limit-out")
	}
	return strings.Join(words, " ")
}

// Compile asks the routing table natively for IPv4; else it is xt_addrtype.
func (m AddrType) Compile(c *program.Code) error {
	if c.Env.V6() || (m.Src.v|m.Dst.v)&nftUnnamed != 0 {
		return addrtype.Kernel(c, m)
	}
	if k, not, ok := m.Src.Get(); ok {
		c.Test(m.fibTest(program.FibSaddr, not, k))
	}
	if k, not, ok := m.Dst.Get(); ok {
		c.Test(m.fibTest(program.FibDaddr, not, k))
	}
	if m.Src.Given() && m.Dst.Given() {
		c.Is(addrtypeName)
	}
	return nil
}

// fibTest is "fib daddr type local", or of several types.
func (m AddrType) fibTest(of uint32, not bool, k AddrKind) program.Test {
	load := program.Fib{Result: program.FibAddrType, Flags: of}
	if m.LimitIn {
		load.Flags |= program.FibIif
	}
	if m.LimitOut {
		load.Flags |= program.FibOif
	}
	set := program.ConstSet{Type: program.TypeFibAddr, Len: 4, Host: true}
	for i := range addrKinds {
		if k&(1<<i) != 0 {
			set.Elems += program.Host32(uint32(i)).Data
		}
	}
	if len(set.Elems) == int(set.Len) {
		return program.IsValue(load, not, program.Value{Data: set.Elems, Host: true})
	}
	return program.IsIn(load, not, set)
}

// readAddrType reads one address's type, or under the note source's and
// destination's.
func readAddrType(r *program.Reader) (m AddrType, ok bool) {
	first, _ := r.Test(0)
	load, ok := first.Load.(program.Fib)
	if !ok {
		return m, false
	}
	m.LimitIn, m.LimitOut = load.Flags&program.FibIif != 0, load.Flags&program.FibOif != 0
	if r.Is() == addrtypeName {
		second, _ := r.Test(1)
		var ok1, ok2 bool
		m.Src, ok1 = m.readFib(program.FibSaddr, first)
		m.Dst, ok2 = m.readFib(program.FibDaddr, second)
		if ok1 && ok2 {
			r.Take(2)
		}
		return m, ok1 && ok2
	}
	if m.Src, ok = m.readFib(program.FibSaddr, first); !ok {
		m.Src = Opt[AddrKind]{}
		m.Dst, ok = m.readFib(program.FibDaddr, first)
	}
	if ok {
		r.Take(1)
	}
	return m, ok
}

// readFib reads fibTest's value.
func (m AddrType) readFib(of uint32, t program.Test) (o Opt[AddrKind], ok bool) {
	var k AddrKind
	keys := t.Set.Keys()
	if len(keys) == 0 {
		keys = []string{t.A.Data}
	}
	for _, key := range keys {
		if len(key) == 4 && binary.BigEndian.Uint32([]byte(key)) < uint32(len(addrKinds)) {
			k |= 1 << binary.BigEndian.Uint32([]byte(key))
		}
	}
	return isOrNot(t.Not(), k), k != 0 && t == m.fibTest(of, t.Not(), k)
}

// blob is the match as xt_addrtype takes it.
func (m AddrType) blob(program.Env) xtables.AddrType {
	b := xtables.AddrType{Source: uint16(m.Src.v), Dest: uint16(m.Dst.v)}
	for _, f := range [...]struct {
		is  bool
		bit uint32
	}{
		{m.Src.not, xtables.AddrTypeInvertSource}, {m.Dst.not, xtables.AddrTypeInvertDest},
		{m.LimitIn, xtables.AddrTypeLimitIn}, {m.LimitOut, xtables.AddrTypeLimitOut},
	} {
		if f.is {
			b.Flags |= f.bit
		}
	}
	return b
}

// readAddrTypeBlob is blob's inverse.
func readAddrTypeBlob(b xtables.AddrType, env program.Env) (m AddrType, ok bool) {
	if b.Source != 0 {
		m.Src = isOrNot(b.Flags&xtables.AddrTypeInvertSource != 0, AddrKind(b.Source))
	}
	if b.Dest != 0 {
		m.Dst = isOrNot(b.Flags&xtables.AddrTypeInvertDest != 0, AddrKind(b.Dest))
	}
	m.LimitIn, m.LimitOut = b.Flags&xtables.AddrTypeLimitIn != 0, b.Flags&xtables.AddrTypeLimitOut != 0
	return m, (m.Src.Given() || m.Dst.Given()) && m.blob(env) == b
}
