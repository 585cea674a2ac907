package match

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Policy is -m policy: IPsec was, or will be, applied to the packet, or was not.
// PolicyIn is for the chains PREROUTING, INPUT and FORWARD, PolicyOut for FORWARD,
// OUTPUT and POSTROUTING. The zero value is an error.
//
//	--dir in|out  --pol none|ipsec  [--strict]
//	[!] --reqid id  [!] --spi spi  [!] --proto ah|esp|ipcomp  [!] --mode tunnel|transport
//	[!] --tunnel-dst address[/prefix]  [!] --tunnel-src address[/prefix]  --next …
//
// It is the kernel's own xt match, which ip and ip6 tables have and inet tables
// have not: nf_tables' ipsec looks at one of a packet's policies by its number. It
// mirrors net/netfilter/xt_policy.c. iptables hands the kernel an SPI in the
// machine's byte order, and the kernel compares it with the packet's in the
// network's: on most machines --spi 0x100 is the SPI 0x10000. So it is here. What
// iptables reads behind --pol none, and prints no more, is refused, and so is a
// mask that is no prefix.
type Policy struct {
	Dir    PolicyDir // --dir
	None   bool      // --pol none: there is none; false: --pol ipsec
	Strict bool      // --strict: the policies are those of Elements and no others; false: one of them is Elements[0]
	// Elements are what the policies are like, in their order; they end at the
	// first that is empty. Those behind the first, --next, need Strict.
	Elements [4]PolicyElement

	next uint8 // while options are read: how many --next there were
}

// PolicyDir says whether a packet's past or future is looked at.
type PolicyDir uint8

// The directions of a Policy.
const (
	PolicyIn  PolicyDir = iota + 1 // --dir in: what was applied to a packet that came in
	PolicyOut                      // --dir out: what will be applied to one that goes out
)

// PolicyElement is one policy of a packet; what is absent is not looked at.
type PolicyElement struct {
	ReqID  Opt[uint32]       // --reqid: the ID of "ip xfrm policy"
	SPI    Opt[uint32]       // --spi: the security parameter index, its bytes the other way round (see above)
	Proto  Opt[nf.Protocol]  // --proto: nf.AH, nf.ESP, or 108, IPComp
	Mode   Opt[PolicyMode]   // --mode
	Dest   Opt[netip.Prefix] // --tunnel-dst: the end of a tunnel; needs Mode: Is(Tunnel)
	Source Opt[netip.Prefix] // --tunnel-src: its beginning; likewise
}

// PolicyMode is the way IPsec is applied, by the kernel's numbers.
type PolicyMode uint8

// The modes of --mode.
const (
	Transport PolicyMode = 0
	Tunnel    PolicyMode = 1
)

// Name is "policy".
func (Policy) Name() string { return policy.Name }

func (Policy) ext() option.Extension { return policy }

var policy = &option.Spec[Policy]{
	Name:  "policy",
	Rows:  policyRows(),
	Check: checkPolicy,
	Needs: func(m Policy) option.Needs {
		var hosts []Opt[netip.Prefix]
		for _, e := range m.Elements {
			hosts = append(hosts, e.Dest, e.Source)
		}
		n := option.Needs{Family: hostFamily(hosts...), Chains: []string{"PREROUTING", "INPUT", "FORWARD"}}
		if m.Dir == PolicyOut {
			n.Chains = []string{"FORWARD", "OUTPUT", "POSTROUTING"}
		}
		return n
	},
	List: listPolicy,
	XT:   option.XTStruct(option.XT[Policy]{}, 0, Policy.blob, readPolicyBlob),
}

// count is how many elements there are.
func (m *Policy) count() int {
	n := len(m.Elements)
	for n > 0 && m.Elements[n-1] == (PolicyElement{}) {
		n--
	}
	return n
}

// errEmptyElement is the reason of a --strict policy with nothing in it.
var errEmptyElement = errors.New("--strict is in effect, but at least one of reqid, spi, tunnel-src, tunnel-dst, proto or mode is required")

func checkPolicy(m *Policy, _ option.Context) error {
	n := max(m.count(), int(m.next)+1)
	m.next = 0
	switch {
	case m.Dir != PolicyIn && m.Dir != PolicyOut:
		return errors.New("neither --dir in nor --dir out specified")
	case m.None && m.Strict:
		return errors.New("policy none but --strict given")
	case m.None && m.count() > 0:
		return errors.New("policy none, and yet what it is like")
	case n > 1 && !m.Strict:
		return errors.New("option \"--next\" also requires \"--strict\"")
	}
	for i := range n {
		e := &m.Elements[i]
		if m.Strict && *e == (PolicyElement{}) {
			return fmt.Errorf("empty policy element %d: %w", i, errEmptyElement)
		}
		if err := e.check(); err != nil {
			return err
		}
	}
	return nil
}

func (e *PolicyElement) check() error {
	mode, not, ok := e.Mode.Get()
	switch {
	case (e.Source.ok || e.Dest.ok) && (!ok || not || mode != Tunnel):
		return errors.New("--tunnel-src/--tunnel-dst is only valid in tunnel mode")
	case mode > Tunnel:
		return fmt.Errorf("invalid mode %d", mode)
	}
	if p, _, ok := e.Proto.Get(); ok && policyProtos[p] == "" {
		return errPolicyProto
	}
	return errors.Join(checkHost(&e.Source), checkHost(&e.Dest))
}

// policyProtos are the protocols of IPsec.
var policyProtos = map[nf.Protocol]string{nf.ESP: "esp", nf.AH: "ah", protoIPComp: "ipcomp"}

var errPolicyProto = errors.New("protocol must be ah/esp/ipcomp")

// Compile adds the kernel's match.
func (m Policy) Compile(c *program.Code) error { return policy.Kernel(c, m) }
