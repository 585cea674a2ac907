package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// HBH is -m hbh: the hop-by-hop options header of an IPv6 packet. It implies
// IPv6. The zero value matches every packet that has one.
//
//	[!] --hbh-len bytes  --hbh-opts type[:length][,type[:length]…]
//
// It is the kernel's own ip6t_hbh, which ip6 tables have and inet tables have
// not: nothing native looks at options. Unlike ip6tables it refuses types and
// lengths above 255 instead of cutting them. It mirrors
// net/ipv6/netfilter/ip6t_hbh.c, which is both hbh and dst.
type HBH struct {
	Len  Opt[uint32]      // --hbh-len: the whole header's length in bytes
	Opts Opt[IPv6Options] // --hbh-opts: what its options begin with; not invertible
}

// Name is "hbh".
func (HBH) Name() string { return hbh.Name }

func (HBH) ext() option.Extension { return hbh }

var hbh = &option.Spec[HBH]{
	Name:     "hbh",
	Families: nf.IPv6,
	Rows: []option.Row[HBH]{
		opt("--hbh-len", func(m *HBH) *Opt[uint32] { return &m.Len }, option.Number[uint32](0, 1<<32-1)),
		plain("--hbh-opts", func(m *HBH) *Opt[IPv6Options] { return &m.Opts }, optionList),
	},
	Check: func(m *HBH, _ option.Context) error { return options6(*m).check("--hbh-opts") },
	List:  func(m HBH, _ *option.Lister) string { return options6(m).format("hbh") },
	XT:    options6XT(func(m HBH) options6 { return options6(m) }, func(o options6) HBH { return HBH(o) }),
}

// Compile leaves it to ip6t_hbh.
func (m HBH) Compile(c *program.Code) error { return hbh.Kernel(c, m) }
