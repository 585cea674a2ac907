package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Dst is -m dst: the destination options header of an IPv6 packet. It implies
// IPv6. The zero value matches every packet that has one.
//
//	[!] --dst-len bytes  --dst-opts type[:length][,type[:length]…]
//
// It is the kernel's own ip6t_dst, which ip6 tables have and inet tables have
// not: nothing native looks at options. Unlike ip6tables it refuses types and
// lengths above 255 instead of cutting them. It mirrors
// net/ipv6/netfilter/ip6t_hbh.c, which is both hbh and dst.
type Dst struct {
	Len  Opt[uint32]      // --dst-len: the whole header's length in bytes
	Opts Opt[IPv6Options] // --dst-opts: what its options begin with; not invertible
}

// Name is "dst".
func (Dst) Name() string { return dst.Name }

func (Dst) ext() option.Extension { return dst }

var dst = &option.Spec[Dst]{
	Name:     "dst",
	Families: nf.IPv6,
	Rows: []option.Row[Dst]{
		opt("--dst-len", func(m *Dst) *Opt[uint32] { return &m.Len }, option.Number[uint32](0, 1<<32-1)),
		plain("--dst-opts", func(m *Dst) *Opt[IPv6Options] { return &m.Opts }, optionList),
	},
	Check: func(m *Dst, _ option.Context) error { return options6(*m).check("--dst-opts") },
	List:  func(m Dst, _ *option.Lister) string { return options6(m).format("dst") },
	XT:    options6XT(func(m Dst) options6 { return options6(m) }, func(o options6) Dst { return Dst(o) }),
}

// Compile leaves it to ip6t_dst.
func (m Dst) Compile(c *program.Code) error { return dst.Kernel(c, m) }
