package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TCPMSS is -m tcpmss: the segment size that a TCP header's option tells. It
// implies -p tcp. A packet without the option matches the inversion only.
//
//	[!] --mss value[:value]
//
// It is the kernel's own xt match, which ip and ip6 tables have and inet tables
// have not: what nf_tables loads of an option that is missing is nothing, which
// matches no inversion, and it looks for options in another way and not in later
// fragments. It mirrors net/netfilter/xt_tcpmss.c.
type TCPMSS struct {
	MSS Opt[LengthRange] // --mss, in bytes; absent is an error
}

// Name is "tcpmss".
func (TCPMSS) Name() string { return tcpmss.Name }

func (TCPMSS) ext() option.Extension { return tcpmss }

var tcpmss = &option.Spec[TCPMSS]{
	Name: "tcpmss",
	Rows: []option.Row[TCPMSS]{
		opt("--mss", func(m *TCPMSS) *Opt[LengthRange] { return &m.MSS }, lengths),
	},
	Check: func(m *TCPMSS, _ option.Context) error { return mandatory("--mss", m.MSS) },
	Needs: func(TCPMSS) option.Needs { return option.Needs{Protos: []nf.Protocol{nf.TCP}, Imply: nf.TCP} },
	List: func(m TCPMSS, _ *option.Lister) string {
		r, not, _ := m.MSS.Get()
		return "tcpmss match " + bang(not) + r.String()
	},
	XT: option.XTStruct(option.XT[TCPMSS]{}, 0,
		func(m TCPMSS, _ program.Env) xtables.SegmentSize {
			r, not, _ := m.MSS.Get()
			return xtables.SegmentSize{Min: r.Min, Max: r.Max, Invert: bitIf[uint8](not, 1)}
		},
		func(b xtables.SegmentSize, _ program.Env) (TCPMSS, bool) {
			return TCPMSS{isOrNot(b.Invert != 0, LengthRange{b.Min, b.Max})}, b.Invert <= 1
		}),
}

// Compile leaves it to xt_tcpmss.
func (m TCPMSS) Compile(c *program.Code) error { return tcpmss.Kernel(c, m) }
