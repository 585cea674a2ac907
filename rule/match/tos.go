package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TOS is -m tos: the type of service of IPv4, all eight bits of it, or the
// traffic class of IPv6.
//
//	[!] --tos value[/mask] | [!] --tos symbol
//
// Symbols (Minimize-Delay, …) look at six bits. It is native: bits of the network
// header, which lie elsewhere in IPv4 than in IPv6, so that a rule for both
// families needs an ip and an ip6 table. What can never be true, or always is
// (bits outside the mask, a mask of 0), and "not these eight bits" are the
// kernel's own xt match: nft could not load what it would print of the first, and
// of the second it makes "not this code point, and not that of ECN". The code point's six bits alone are what
// -m dscp compares, and two are -m ecn's; the rule's userdata says which it is.
// It mirrors net/netfilter/xt_dscp.c.
type TOS struct {
	TOS Opt[nf.TOSBits] // --tos; absent is an error
}

// Name is "tos".
func (TOS) Name() string { return tosName }

func (TOS) ext() option.Extension { return tos }

const tosName = "tos"

var tos = &option.Spec[TOS]{
	Name: tosName,
	Rows: []option.Row[TOS]{
		opt("--tos", func(m *TOS) *Opt[nf.TOSBits] { return &m.TOS }, option.TOS),
	},
	Check: func(m *TOS, _ option.Context) error { return mandatory("--tos", m.TOS) },
	List:  listTOS,
	Read: func(r *program.Reader) (m TOS, ok bool) {
		v, mask, not, ok := readTOSField(r)
		if !ok || likeAnother(mask) != (r.Is() == tosName) {
			return m, false
		}
		r.Take(1)
		return TOS{isOrNot(not, nf.TOSMask(v, mask))}, true
	},
	XT: option.XTStruct(option.XT[TOS]{}, 1,
		func(m TOS, _ program.Env) xtables.TOS {
			t, not, _ := m.TOS.Get()
			return xtables.TOS{Mask: t.Mask(), Value: t.Value(), Invert: bitIf[uint8](not, 1)}
		},
		func(b xtables.TOS, _ program.Env) (TOS, bool) {
			return TOS{isOrNot(b.Invert != 0, nf.TOSMask(b.Value, b.Mask))}, b.Invert <= 1
		}),
}

// likeAnother says whether -m dscp or -m ecn compare those bits.
func likeAnother(mask uint8) bool { return mask == dscpMask || mask == ecnMask }

// Compile compares the bits.
func (m TOS) Compile(c *program.Code) error {
	t, not, _ := m.TOS.Get()
	if t.Mask() == 0 || t.Value()&^t.Mask() != 0 || not && t.Mask()&^dscpMask != 0 && t.Mask()&dscpMask == dscpMask {
		return tos.Kernel(c, m)
	}
	if likeAnother(t.Mask()) {
		c.Is(tosName)
	}
	return testTOSField(c, tosName, not, t.Value(), t.Mask())
}

// listTOS prints no blank before a number, and one before a symbol, as iptables
// does.
func listTOS(m TOS, l *option.Lister) string {
	t, not, _ := m.TOS.Get()
	if s, ok := option.TOSSymbol(t); ok && !l.Numeric() {
		return "tos match" + bang(not) + " " + s
	}
	return "tos match" + bang(not) + t.String()
}
