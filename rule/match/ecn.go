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

// ECN is -m ecn: explicit congestion notification (RFC 3168). At least one option
// must be given; those of TCP imply -p tcp.
//
//	[!] --ecn-tcp-cwr  [!] --ecn-tcp-ece  [!] --ecn-ip-ect 0..3
//
// The bits of the network header are native; they lie elsewhere in IPv4 than in
// IPv6, so that a rule for both families needs an ip and an ip6 table. Those of
// TCP are the kernel's own xt match: it looks at later fragments too, as if they
// began with a header, which nothing native does exactly. It mirrors
// net/netfilter/xt_ecn.c.
type ECN struct {
	CWR Opt[bool]  // --ecn-tcp-cwr: Is(true), or Not(true) for "!"
	ECE Opt[bool]  // --ecn-tcp-ece, likewise
	ECT Opt[uint8] // --ecn-ip-ect: the code point, 0 to 3
}

// Name is "ecn".
func (ECN) Name() string { return ecn.Name }

func (ECN) ext() option.Extension { return ecn }

var ecn = &option.Spec[ECN]{
	Name: "ecn",
	Rows: []option.Row[ECN]{
		flag("--ecn-tcp-ece", func(m *ECN) *Opt[bool] { return &m.ECE }),
		flag("--ecn-tcp-cwr", func(m *ECN) *Opt[bool] { return &m.CWR }),
		opt("--ecn-ip-ect", func(m *ECN) *Opt[uint8] { return &m.ECT }, option.Number[uint8](0, 3)),
	},
	Check: checkECN,
	Needs: func(m ECN) option.Needs {
		if m.CWR.Given() || m.ECE.Given() {
			return option.Needs{Protos: []nf.Protocol{nf.TCP}, Imply: nf.TCP}
		}
		return option.Needs{}
	},
	List: listECN,
	Read: func(r *program.Reader) (m ECN, ok bool) {
		v, mask, not, ok := readTOSField(r)
		if !ok || mask != ecnMask || v&^ecnMask != 0 {
			return m, false
		}
		r.Take(1)
		return ECN{ECT: isOrNot(not, v)}, true
	},
	XT: option.XTStruct(option.XT[ECN]{}, 0, ECN.blob, readECNBlob),
}

// ecnMask is the code point's bits of the type of service.
const ecnMask = 0x03

func checkECN(m *ECN, _ option.Context) error {
	for _, o := range [...]Opt[bool]{m.CWR, m.ECE} {
		if v, _, ok := o.Get(); ok && !v {
			return errors.New("Is(true) is a bit that is set, Not(true) one that is not; false says nothing")
		}
	}
	ect, _, ok := m.ECT.Get()
	switch {
	case ok && ect > 3:
		return fmt.Errorf("--ecn-ip-ect: %d is out of range (0-3)", ect)
	case !ok && !m.CWR.Given() && !m.ECE.Given():
		return errors.New("some option required")
	}
	return nil
}

// Compile compares the network header's bits, or leaves all of it to xt_ecn.
func (m ECN) Compile(c *program.Code) error {
	if m.CWR.Given() || m.ECE.Given() {
		return ecn.Kernel(c, m)
	}
	v, not, _ := m.ECT.Get()
	return testTOSField(c, ecn.Name, not, v, ecnMask)
}

func (m ECN) blob(program.Env) (b xtables.ECN) {
	add := func(given, not bool, bit uint8) {
		b.What |= bitIf(given, bit)
		b.Invert |= bitIf(not, bit)
	}
	add(m.CWR.ok, m.CWR.not, xtables.ECNCWR)
	add(m.ECE.ok, m.ECE.not, xtables.ECNECE)
	add(m.ECT.ok, m.ECT.not, xtables.ECNIP)
	b.ECT = m.ECT.v
	return b
}

func readECNBlob(b xtables.ECN, _ program.Env) (m ECN, ok bool) {
	if b.What&xtables.ECNCWR != 0 {
		m.CWR = isOrNot(b.Invert&xtables.ECNCWR != 0, true)
	}
	if b.What&xtables.ECNECE != 0 {
		m.ECE = isOrNot(b.Invert&xtables.ECNECE != 0, true)
	}
	if b.What&xtables.ECNIP != 0 {
		m.ECT = isOrNot(b.Invert&xtables.ECNIP != 0, b.ECT)
	}
	return m, checkECN(&m, option.Context{}) == nil && m.blob(program.Env{}) == b
}

func listECN(m ECN, _ *option.Lister) string {
	words := []string{"ECN match"}
	if _, not, ok := m.ECE.Get(); ok {
		words = append(words, bang(not)+"ECE")
	}
	if _, not, ok := m.CWR.Get(); ok {
		words = append(words, bang(not)+"CWR")
	}
	if v, not, ok := m.ECT.Get(); ok {
		words = append(words, fmt.Sprintf("%sECT=%d", bang(not), v))
	}
	return strings.Join(words, " ")
}
