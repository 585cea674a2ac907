package match

import (
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// UDP is -m udp. It implies -p udp. The zero value matches every UDP packet
// whose header is whole.
//
//	[!] --sport port[:port]  [!] --dport port[:port]
//
// It is native, behind a guard that the header is there: xt_udp looks at first
// fragments only, and drops a packet whose header is cut short, where we only do
// not match it. Unlike iptables 1.8.9, which takes 65536 for port 0 here, it
// refuses ports that do not exist and ranges that run backward. It mirrors
// net/netfilter/xt_tcpudp.c.
//
// In the tables that are shared with iptables-nft it is what that makes of it,
// as TCP says.
type UDP struct {
	Sport Opt[nf.Ports] // --sport
	Dport Opt[nf.Ports] // --dport
}

// Name is "udp".
func (UDP) Name() string { return udp.Name }

func (UDP) ext() option.Extension { return udp }

var udp = &option.Spec[UDP]{
	Name: "udp",
	Rows: []option.Row[UDP]{
		opt("--sport", func(m *UDP) *Opt[nf.Ports] { return &m.Sport }, option.DecimalPorts, "--source-port"),
		opt("--dport", func(m *UDP) *Opt[nf.Ports] { return &m.Dport }, option.DecimalPorts, "--destination-port"),
	},
	Check: func(m *UDP, _ option.Context) error { return checkPorts(&m.Sport, &m.Dport) },
	Needs: func(UDP) option.Needs { return option.Needs{Protos: []nf.Protocol{nf.UDP}, Imply: nf.UDP} },
	List: func(m UDP, l *option.Lister) string {
		words := append([]string{"udp"}, listPorts("spt", m.Sport, l, nf.UDP)...)
		return strings.Join(append(words, listPorts("dpt", m.Dport, l, nf.UDP)...), " ")
	},
	Read: readUDP,
	XT:   option.XTStruct(option.XT[UDP]{}, 0, UDP.blob, readUDPBlob),

	SharedNative: true,
}

// Compile compares the ports natively; in a table that is shared with
// iptables-nft it is what that makes of them, or xt_udp.
func (m UDP) Compile(c *program.Code) error {
	switch {
	case c.Env.Plain && (m == UDP{} || !sharedPortsExact(m.Sport, m.Dport)):
		return udp.Kernel(c, m)
	case c.Env.Plain:
		testSharedPorts(c, m.Sport, m.Dport)
		return nil
	}
	c.Test(whole(wholeUDP))
	testPortPair(c, m.Sport, m.Dport)
	return nil
}

func readUDP(r *program.Reader) (m UDP, ok bool) {
	switch {
	case r.Env.Proto != uint8(nf.UDP) || r.Env.ProtoNot:
		return m, false
	case r.Env.Plain:
		m.Sport, m.Dport = readSharedPorts(r)
		return m, m != UDP{}
	case !readWhole(r, wholeUDP):
		return m, false
	}
	m.Sport, m.Dport = readPortPair(r)
	return m, true
}

// blob is the match as xt_udp takes it.
func (m UDP) blob(program.Env) xtables.UDP {
	b := xtables.UDP{Sport: blobPorts(m.Sport), Dport: blobPorts(m.Dport)}
	if m.Sport.not {
		b.Invert |= xtables.UDPInvertSport
	}
	if m.Dport.not {
		b.Invert |= xtables.UDPInvertDport
	}
	return b
}

// readUDPBlob is blob's inverse.
func readUDPBlob(b xtables.UDP, env program.Env) (m UDP, ok bool) {
	m.Sport = readBlobPorts(b.Sport, b.Invert&xtables.UDPInvertSport != 0)
	m.Dport = readBlobPorts(b.Dport, b.Invert&xtables.UDPInvertDport != 0)
	return m, m.blob(env) == b
}
