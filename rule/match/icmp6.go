package match

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ICMP6 is -m icmp6. It implies -p ipv6-icmp and IPv6. The type must be given;
// unlike ICMP's it cannot be "any".
//
//	[!] --icmpv6-type type[/code] | name
//
// It is native, behind a guard that the header is there: xt's icmp6 looks at
// first fragments only, and drops a packet whose header is cut short, where we
// only do not match it. In the tables that are shared with iptables-nft it is
// xt's. It mirrors the icmp6 match of net/netfilter/xt_tcpudp.c
// (net/ipv6/netfilter/ip6_tables.c in older kernels).
type ICMP6 struct {
	Type Opt[nf.ICMPType] // --icmpv6-type; absent is an error
}

// Name is "icmp6".
func (ICMP6) Name() string { return icmp6.Name }

func (ICMP6) ext() option.Extension { return icmp6 }

var icmp6 = &option.Spec[ICMP6]{
	Name:     "icmp6",
	Families: nf.IPv6,
	Rows: []option.Row[ICMP6]{
		opt("--icmpv6-type", func(m *ICMP6) *Opt[nf.ICMPType] { return &m.Type }, icmp6Names.codec()),
	},
	Check: func(m *ICMP6, _ option.Context) error {
		if t, _, _ := m.Type.Get(); t.Any() {
			return errors.New("--icmpv6-type cannot be any: -p ipv6-icmp is that")
		}
		return mandatory("--icmpv6-type", m.Type)
	},
	Needs: func(ICMP6) option.Needs {
		return option.Needs{Protos: []nf.Protocol{nf.ICMPv6}, Imply: nf.ICMPv6}
	},
	List: func(m ICMP6, l *option.Lister) string { return icmp6Names.list(m.Type, l) },
	Read: func(r *program.Reader) (m ICMP6, ok bool) {
		if r.Env.Proto != uint8(nf.ICMPv6) || r.Env.ProtoNot || r.Env.V4() {
			return m, false
		}
		m.Type, ok = readICMP(r)
		t, _, _ := m.Type.Get()
		return m, ok && !t.Any()
	},
	XT: option.XTStruct(option.XT[ICMP6]{}, 0,
		func(m ICMP6, _ program.Env) xtables.ICMP { return icmpBlob(m.Type) },
		func(b xtables.ICMP, _ program.Env) (ICMP6, bool) { o, ok := readICMPBlob(b); return ICMP6{o}, ok }),
}

// Compile compares the type, or the type and the code.
func (m ICMP6) Compile(c *program.Code) error {
	testICMP(c, m.Type)
	return nil
}
