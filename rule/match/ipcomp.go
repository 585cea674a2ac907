package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// IPComp is -m ipcomp: compressed payload (RFC 3173). It implies -p ipcomp.
//
//	[!] --ipcompspi cpi[:cpi]  --compres
//
// It is native: two bytes of the header, behind a guard that it is there
// (xt_ipcomp looks at first fragments only, and drops a packet whose header is
// cut short, where we only do not match it). Numbers above 65535, which no packet
// has, and --compres, which the kernel takes and does not look at, are the
// kernel's own xt match, which ip and ip6 tables have and inet tables have not.
//
// In iptables -m ipcomp without --ipcompspi means index 0, and it is read so
// here; iptables-save prints nothing for all of them, which would be restored as
// 0: ours prints 0:4294967295. A range that runs backward is refused. It mirrors
// net/netfilter/xt_ipcomp.c.
type IPComp struct {
	CPI      Opt[Numbers] // --ipcompspi, the compression parameter index; absent is an error
	Reserved bool         // --compres, which says nothing
}

// Name is "ipcomp".
func (IPComp) Name() string { return ipcomp.Name }

func (IPComp) ext() option.Extension { return ipcomp }

var ipcomp = &option.Spec[IPComp]{
	Name: "ipcomp",
	Rows: []option.Row[IPComp]{
		opt("--ipcompspi", func(m *IPComp) *Opt[Numbers] { return &m.CPI }, numbers),
		option.Flag("--compres", func(m *IPComp) *bool { return &m.Reserved }),
	},
	Default: func(option.Context) IPComp { return IPComp{CPI: Is(Number(0))} },
	Check:   func(m *IPComp, _ option.Context) error { return mandatory("--ipcompspi", m.CPI) },
	Needs: func(IPComp) option.Needs {
		return option.Needs{Protos: []nf.Protocol{protoIPComp}, Imply: protoIPComp}
	},
	List: func(m IPComp, _ *option.Lister) string {
		s := "comp " + listNumbers("spi", m.CPI)
		if m.Reserved {
			s += " reserved"
		}
		return s
	},
	Read: readIPComp,
	XT: option.XTStruct(option.XT[IPComp]{}, 0,
		func(m IPComp, _ program.Env) (b xtables.IPComp) {
			b.CPI, b.Invert = numbersBlob(m.CPI, 1)
			b.Reserved = bitIf[uint8](m.Reserved, 1)
			return b
		},
		func(b xtables.IPComp, _ program.Env) (IPComp, bool) {
			return IPComp{isOrNot(b.Invert != 0, Numbers{b.CPI[0], b.CPI[1]}), b.Reserved != 0}, b.Invert <= 1 && b.Reserved <= 1
		}),
}

// protoIPComp is what package nf has no name for.
const protoIPComp nf.Protocol = 108

const (
	wholeIPComp = 4 // struct ip_comp_hdr
	lastCPI     = 65535
)

var cpiField = program.Payload{Base: program.Transport, Offset: 2, Len: 2}

// Compile compares the index.
func (m IPComp) Compile(c *program.Code) error {
	n, not, _ := m.CPI.Get()
	if n.Max > lastCPI || m.Reserved {
		return ipcomp.Kernel(c, m)
	}
	c.Test(whole(wholeIPComp), program.IsWithin(cpiField, not, program.Net16(uint16(n.Min)), program.Net16(uint16(n.Max))))
	return nil
}

func readIPComp(r *program.Reader) (m IPComp, ok bool) {
	if r.Env.Proto != uint8(protoIPComp) || r.Env.ProtoNot || !readWhole(r, wholeIPComp) {
		return m, false
	}
	m.CPI = readNumbers(r, cpiField)
	return m, m.CPI.Given()
}
