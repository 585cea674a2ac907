package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// DSCP is -m dscp: the differentiated services code point.
//
//	[!] --dscp value | [!] --dscp-class name
//
// It is native: six bits of the network header, which lie elsewhere in IPv4 than
// in IPv6, so that a rule for both families needs an ip and an ip6 table. It
// mirrors net/netfilter/xt_dscp.c.
type DSCP struct {
	DSCP Opt[nf.DSCP] // --dscp; absent is an error
}

// Name is "dscp".
func (DSCP) Name() string { return dscp.Name }

func (DSCP) ext() option.Extension { return dscp }

var dscp = &option.Spec[DSCP]{
	Name: "dscp",
	Rows: []option.Row[DSCP]{
		once(opt("--dscp", dscpField, option.DSCP), dscpField),
		unprinted(once(opt("--dscp-class", dscpField, option.DSCPClass), dscpField)),
	},
	Check: func(m *DSCP, _ option.Context) error { return mandatory("--dscp", m.DSCP) },
	List: func(m DSCP, _ *option.Lister) string {
		d, not, _ := m.DSCP.Get()
		return "DSCP match " + bang(not) + d.String()
	},
	Read: func(r *program.Reader) (m DSCP, ok bool) {
		v, mask, not, ok := readTOSField(r)
		if !ok || mask != dscpMask || v&^dscpMask != 0 {
			return m, false
		}
		r.Take(1)
		return DSCP{isOrNot(not, nf.DSCP(v>>2))}, true
	},
	XT: option.XTStruct(option.XT[DSCP]{}, 0,
		func(m DSCP, _ program.Env) xtables.DSCP {
			d, not, _ := m.DSCP.Get()
			return xtables.DSCP{DSCP: uint8(d), Invert: bitIf[uint8](not, 1)}
		},
		func(b xtables.DSCP, _ program.Env) (DSCP, bool) {
			return DSCP{isOrNot(b.Invert != 0, nf.DSCP(b.DSCP))}, b.DSCP <= 63 && b.Invert <= 1
		}),
}

func dscpField(m *DSCP) *Opt[nf.DSCP] { return &m.DSCP }

// dscpMask is the code point's bits of the type of service.
const dscpMask = 0xfc

// Compile compares the bits.
func (m DSCP) Compile(c *program.Code) error {
	d, not, _ := m.DSCP.Get()
	return testTOSField(c, dscp.Name, not, uint8(d)<<2, dscpMask)
}
