package match

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// IPVS is -m ipvs: the packet belongs to a connection of the kernel's load
// balancer, of some kind. At least one field must be given; any but IPVS alone
// implies that there is such a connection.
//
//	[!] --ipvs  [!] --vproto protocol  [!] --vaddr address[/prefix]  [!] --vport port
//	--vdir ORIGINAL|REPLY  [!] --vmethod GATE|IPIP|MASQ  [!] --vportctl port
//
// It is the kernel's own xt match, which ip and ip6 tables have and inet tables
// have not, in kernels with CONFIG_NETFILTER_XT_MATCH_IPVS. It mirrors
// net/netfilter/xt_ipvs.c. A port above 65535, of which iptables takes the lower 16
// bits, is refused.
type IPVS struct {
	IPVS        Opt[bool]         // --ipvs: it belongs to one; Is(true) or Not(true)
	Proto       Opt[nf.Protocol]  // --vproto: of this protocol
	Addr        Opt[netip.Prefix] // --vaddr: to this virtual address
	Port        Opt[uint16]       // --vport: and port
	Dir         IPVSDir           // --vdir: which way the packet goes; zero: either
	Method      Opt[IPVSMethod]   // --vmethod: how it is passed on
	ControlPort Opt[uint16]       // --vportctl: the virtual port of the connection that controls this one: 21 for FTP
}

// IPVSDir is the direction of a packet of a balanced connection.
type IPVSDir uint8

// The directions of --vdir.
const (
	IPVSOriginal IPVSDir = iota + 1 // ORIGINAL: from the client
	IPVSReply                       // REPLY: to the client
)

// IPVSMethod is how a balancer passes packets on, by the kernel's numbers.
type IPVSMethod uint8

// The methods of --vmethod.
const (
	IPVSMasq IPVSMethod = 0 // MASQ: by translating addresses
	IPVSIPIP IPVSMethod = 2 // IPIP: through a tunnel
	IPVSGate IPVSMethod = 3 // GATE: as they are, to another host of the link
)

var (
	ipvsDirs    = [...]string{"", "ORIGINAL", "REPLY"}
	ipvsMethods = [...]string{IPVSMasq: "MASQ", IPVSIPIP: "IPIP", IPVSGate: "GATE"}
)

// word finds a word in a list, in upper or lower case.
func word(list []string, w, option string) (int, error) {
	if i := slices.IndexFunc(list, func(s string) bool { return s != "" && strings.EqualFold(s, w) }); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("bad value for %q option: %q", option, w)
}

// Name is "ipvs".
func (IPVS) Name() string { return ipvs.Name }

func (IPVS) ext() option.Extension { return ipvs }

var ipvs = &option.Spec[IPVS]{
	Name: "ipvs",
	Rows: []option.Row[IPVS]{
		flag("--ipvs", func(m *IPVS) *Opt[bool] { return &m.IPVS }),
		opt("--vproto", func(m *IPVS) *Opt[nf.Protocol] { return &m.Proto }, option.Codec[nf.Protocol]{
			Want: "a protocol",
			Parse: func(w string, c option.Context) (nf.Protocol, error) {
				if w == "0" { // which -p has another meaning for
					return 0, nil
				}
				return parseProtocol(w, c)
			},
			Print: func(p nf.Protocol, _ nf.Family) string { return fmt.Sprint(uint8(p)) },
		}),
		opt("--vaddr", func(m *IPVS) *Opt[netip.Prefix] { return &m.Addr }, hostPrefix),
		opt("--vport", func(m *IPVS) *Opt[uint16] { return &m.Port }, ipvsPort),
		option.Field("--vdir", func(m *IPVS) *IPVSDir { return &m.Dir }, option.Codec[IPVSDir]{
			Want: "ORIGINAL or REPLY",
			Parse: func(w string, _ option.Context) (IPVSDir, error) {
				i, err := word(ipvsDirs[:], w, "--vdir")
				return IPVSDir(i), err
			},
			Print: func(d IPVSDir, _ nf.Family) string { return ipvsDirs[d] },
		}),
		opt("--vmethod", func(m *IPVS) *Opt[IPVSMethod] { return &m.Method }, option.Codec[IPVSMethod]{
			Want: "GATE, IPIP or MASQ",
			Parse: func(w string, _ option.Context) (IPVSMethod, error) {
				i, err := word(ipvsMethods[:], w, "--vmethod")
				return IPVSMethod(i), err
			},
			Print: func(v IPVSMethod, _ nf.Family) string { return ipvsMethods[v] },
		}),
		opt("--vportctl", func(m *IPVS) *Opt[uint16] { return &m.ControlPort }, ipvsPort),
	},
	Check: checkIPVS,
	Needs: func(m IPVS) option.Needs { return option.Needs{Family: hostFamily(m.Addr)} },
	List:  listIPVS,
	XT:    option.XTStruct(option.XT[IPVS]{}, 0, IPVS.blob, readIPVSBlob),
}

func parseProtocol(w string, _ option.Context) (nf.Protocol, error) {
	p, ok := nf.ParseProtocol(w)
	if !ok {
		return 0, fmt.Errorf("unknown protocol %q specified", w)
	}
	return p, nil
}

// ipvsPort is a codec for one port.
var ipvsPort = option.Codec[uint16]{
	Want:  "a port",
	Parse: option.ParseDecimalPort,
	Print: func(p uint16, _ nf.Family) string { return fmt.Sprint(p) },
}

func checkIPVS(m *IPVS, _ option.Context) error {
	m.IPVS = asFlag(m.IPVS)
	alone := *m
	alone.IPVS = Opt[bool]{}
	switch {
	case *m == IPVS{}:
		return errors.New("at least one option is required")
	case alone != IPVS{} && m.IPVS.not:
		return errors.New("! --ipvs cannot be together with other options")
	case m.Dir > IPVSReply, int(m.Method.v) >= len(ipvsMethods), ipvsMethods[m.Method.v] == "":
		return fmt.Errorf("no such direction or method: %d, %d", m.Dir, m.Method.v)
	case alone != IPVS{}: // what it implies is not said
		*m = alone
	}
	return checkHost(&m.Addr)
}

func listIPVS(m IPVS, _ *option.Lister) string {
	var words []string
	add := func(name string, v any, not, ok bool) {
		if ok {
			words = append(words, strings.TrimSpace(fmt.Sprintf("%s%s %v", blank(not), name, v)))
		}
	}
	add("ipvs", "", m.IPVS.not, m.IPVS.ok)
	add("vproto", uint8(m.Proto.v), m.Proto.not, m.Proto.ok)
	add("vaddr", printHost(m.Addr.v), m.Addr.not, m.Addr.ok)
	add("vport", m.Port.v, m.Port.not, m.Port.ok)
	add("vdir", ipvsDirs[m.Dir], false, m.Dir != 0)
	add("vmethod", ipvsMethods[m.Method.v], m.Method.not, m.Method.ok)
	add("vportctl", m.ControlPort.v, m.ControlPort.not, m.ControlPort.ok)
	return strings.Join(words, " ")
}

// Compile adds the kernel's match.
func (m IPVS) Compile(c *program.Code) error { return ipvs.Kernel(c, m) }

func (m IPVS) blob(program.Env) (b xtables.IPVS) {
	set := func(bit uint8, not, ok bool) {
		if ok {
			b.Bits |= bit
		}
		if ok && not {
			b.Invert |= bit
		}
	}
	set(xtables.IPVSProperty, m.IPVS.not, true)
	set(xtables.IPVSProto, m.Proto.not, m.Proto.ok)
	set(xtables.IPVSAddr, m.Addr.not, m.Addr.ok)
	set(xtables.IPVSPort, m.Port.not, m.Port.ok)
	set(xtables.IPVSDir, m.Dir == IPVSReply, m.Dir != 0)
	set(xtables.IPVSMethod, m.Method.not, m.Method.ok)
	set(xtables.IPVSControlPort, m.ControlPort.not, m.ControlPort.ok)
	if m.Addr.ok {
		b.Addr, b.Mask = hostBytes(m.Addr.v)
	}
	b.Proto, b.Method = uint8(m.Proto.v), uint8(m.Method.v)
	binary.BigEndian.PutUint16(b.Port[:], m.Port.v)
	binary.BigEndian.PutUint16(b.ControlPort[:], m.ControlPort.v)
	return b
}

func readIPVSBlob(b xtables.IPVS, env program.Env) (m IPVS, ok bool) {
	has := func(bit uint8) (not, ok bool) { return b.Invert&bit != 0, b.Bits&bit != 0 }
	if not, ok := has(xtables.IPVSProto); ok {
		m.Proto = isOrNot(not, nf.Protocol(b.Proto))
	}
	if not, ok := has(xtables.IPVSAddr); ok {
		m.Addr = isOrNot(not, readHost(b.Addr, b.Mask, env.Family == program.IP6))
	}
	if not, ok := has(xtables.IPVSPort); ok {
		m.Port = isOrNot(not, binary.BigEndian.Uint16(b.Port[:]))
	}
	if not, ok := has(xtables.IPVSDir); ok {
		m.Dir = IPVSOriginal
		if not {
			m.Dir = IPVSReply
		}
	}
	if not, ok := has(xtables.IPVSMethod); ok {
		m.Method = isOrNot(not, IPVSMethod(b.Method))
	}
	if not, ok := has(xtables.IPVSControlPort); ok {
		m.ControlPort = isOrNot(not, binary.BigEndian.Uint16(b.ControlPort[:]))
	}
	if not, ok := has(xtables.IPVSProperty); ok && b.Bits == xtables.IPVSProperty {
		m.IPVS = isOrNot(not, true)
	}
	return m, m.blob(env) == b
}
