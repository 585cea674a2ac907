package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// PktType is -m pkttype: whom the link layer says a packet is for. The zero
// value is an error. IPv4 and IPv6.
//
//	[!] --pkt-type unicast|broadcast|multicast|otherhost
//
// It is native: meta pkttype, for which nf_tables, as xt_pkttype, looks at the
// address where the packet is the host's own. In the tables that are shared with
// iptables-nft it is xt_pkttype. It mirrors net/netfilter/xt_pkttype.c.
type PktType struct {
	Type Opt[PacketType] // --pkt-type; absent is an error
}

// PacketType is whom a packet is for. The zero value is "not given".
type PacketType uint8

const (
	ToHost      PacketType = iota + 1 // unicast: this host alone
	ToBroadcast                       // broadcast: every host on the link
	ToMulticast                       // multicast: a group of hosts
	ToOther                           // otherhost: another host, seen because the interface listens to all
)

// packetTypes are the names, and further ones that are read.
var packetTypes = [...]struct{ name, alias string }{
	{"unicast", "host"}, {"broadcast", "bcast"}, {"multicast", "mcast"}, {"otherhost", ""},
}

// Err is not nil for the zero value and for what is none of the four.
func (p PacketType) Err() error {
	if p == 0 || int(p) > len(packetTypes) {
		return errors.New("packet type not given")
	}
	return nil
}

// String is "unicast", "broadcast", "multicast" or "otherhost"; "" where Err is not nil.
func (p PacketType) String() string {
	if p.Err() != nil {
		return ""
	}
	return packetTypes[p-1].name
}

// Name is "pkttype".
func (PktType) Name() string { return pkttype.Name }

func (PktType) ext() option.Extension { return pkttype }

var pkttype = &option.Spec[PktType]{
	Name: "pkttype",
	Rows: []option.Row[PktType]{
		opt("--pkt-type", func(m *PktType) *Opt[PacketType] { return &m.Type }, packetType),
	},
	Check: func(m *PktType, _ option.Context) error {
		if !m.Type.Given() {
			return errors.New(`option "--pkt-type" must be specified`)
		}
		return valid(m.Type)
	},
	List: func(m PktType, _ *option.Lister) string {
		p, not, _ := m.Type.Get()
		if not {
			return "PKTTYPE != " + p.String()
		}
		return "PKTTYPE = " + p.String()
	},
	Read: readPktType,
	XT: option.XTStruct(option.XT[PktType]{Inet: true}, 0,
		func(m PktType, _ program.Env) xtables.PktType {
			p, not, _ := m.Type.Get()
			b := xtables.PktType{Type: int32(p) - 1}
			if not {
				b.Invert = 1
			}
			return b
		},
		func(b xtables.PktType, _ program.Env) (PktType, bool) {
			ok := b.Type >= 0 && int(b.Type) < len(packetTypes) && b.Invert == b.Invert&1
			return PktType{isOrNot(b.Invert == 1, PacketType(b.Type+1))}, ok
		}),
}

// packetType is a codec for the names.
var packetType = option.Codec[PacketType]{
	Want: "unicast, broadcast, multicast or otherhost",
	Parse: func(w string, _ option.Context) (PacketType, error) {
		for i, p := range packetTypes {
			if w != "" && (strings.EqualFold(w, p.name) || strings.EqualFold(w, p.alias)) {
				return PacketType(i + 1), nil
			}
		}
		return 0, fmt.Errorf("bad packet type '%s'", w)
	},
	Print: func(p PacketType, _ nf.Family) string { return p.String() },
}

// Compile compares the kernel's PACKET_*, which are one less.
func (m PktType) Compile(c *program.Code) error {
	p, not, _ := m.Type.Get()
	c.Test(pktTypeTest(not, p))
	return nil
}

func pktTypeTest(not bool, p PacketType) program.Test {
	return program.IsValue(program.Meta{Key: program.MetaPkttype}, not, program.Host8(uint8(p)-1))
}

func readPktType(r *program.Reader) (m PktType, ok bool) {
	t, _ := r.Test(0)
	n, ok := t.A.Uint()
	p := PacketType(n + 1)
	if !ok || p.Err() != nil || t != pktTypeTest(t.Not(), p) {
		return m, false
	}
	r.Take(1)
	return PktType{isOrNot(t.Not(), p)}, true
}
