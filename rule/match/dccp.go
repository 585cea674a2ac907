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

// DCCP is -m dccp. It implies -p dccp. The zero value matches every DCCP packet
// whose header is whole.
//
//	[!] --sport port[:port]  [!] --dport port[:port]
//	[!] --dccp-types type[,type…]  [!] --dccp-option number
//
// Ports are native, behind a guard that the header is there: xt_dccp looks at
// first fragments only, and drops a packet whose header is cut short, where we
// only do not match it. Types and options are the kernel's own xt match, which ip
// and ip6 tables have and inet tables have not. Unlike iptables it refuses a
// range that runs backward, and ports above 65535. It mirrors
// net/netfilter/xt_dccp.c.
type DCCP struct {
	Sport  Opt[nf.Ports]  // --sport
	Dport  Opt[nf.Ports]  // --dport
	Types  Opt[DCCPTypes] // --dccp-types: the packet's type is one of these
	Option Opt[uint8]     // --dccp-option, 1 to 255: the header has that option
}

// DCCPTypes are types of DCCP packets, one bit each.
type DCCPTypes uint16

// The types of DCCP packets; DCCPInvalid stands for those that are reserved.
const (
	DCCPRequest DCCPTypes = 1 << iota
	DCCPResponse
	DCCPData
	DCCPAck
	DCCPDataAck
	DCCPCloseReq
	DCCPClose
	DCCPReset
	DCCPSync
	DCCPSyncAck

	DCCPInvalid DCCPTypes = 0xfc00
)

// dccpTypes are iptables' names, by number; the last stands for all that follow.
var dccpTypes = [...]string{"REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK", "INVALID"}

// Err is not nil for no type, and for some of the reserved ones but not all.
func (d DCCPTypes) Err() error {
	if invalid := d & DCCPInvalid; d == 0 || invalid != 0 && invalid != DCCPInvalid {
		return fmt.Errorf("%#x is no list of DCCP types", uint16(d))
	}
	return nil
}

// String is "REQUEST,DATA".
func (d DCCPTypes) String() string {
	var names []string
	for i, name := range dccpTypes {
		if d&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Name is "dccp".
func (DCCP) Name() string { return dccp.Name }

func (DCCP) ext() option.Extension { return dccp }

var dccp = &option.Spec[DCCP]{
	Name: "dccp",
	Rows: []option.Row[DCCP]{
		opt("--sport", func(m *DCCP) *Opt[nf.Ports] { return &m.Sport }, option.DecimalPorts, "--source-port"),
		opt("--dport", func(m *DCCP) *Opt[nf.Ports] { return &m.Dport }, option.DecimalPorts, "--destination-port"),
		opt("--dccp-types", func(m *DCCP) *Opt[DCCPTypes] { return &m.Types }, dccpTypeList),
		opt("--dccp-option", func(m *DCCP) *Opt[uint8] { return &m.Option }, option.Number[uint8](1, 255)),
	},
	Check: func(m *DCCP, _ option.Context) error {
		if v, _, ok := m.Option.Get(); ok && v == 0 {
			return errors.New("--dccp-option 0 is no option")
		}
		return errors.Join(valid(m.Sport), valid(m.Dport), valid(m.Types))
	},
	Needs: func(DCCP) option.Needs { return option.Needs{Protos: []nf.Protocol{nf.DCCP}, Imply: nf.DCCP} },
	List:  listDCCP,
	Read: func(r *program.Reader) (m DCCP, ok bool) {
		if r.Env.Proto != uint8(nf.DCCP) || r.Env.ProtoNot || !readWhole(r, wholeDCCP) {
			return m, false
		}
		m.Sport, m.Dport = readPortPair(r)
		return m, true
	},
	XT: option.XTStruct(option.XT[DCCP]{}, 0, DCCP.blob, readDCCPBlob),
}

var dccpTypeList = option.Codec[DCCPTypes]{
	Want: "type[,type…]",
	Parse: func(w string, _ option.Context) (d DCCPTypes, err error) {
	next:
		for _, name := range strings.FieldsFunc(w, func(r rune) bool { return r == ',' }) {
			for i, known := range dccpTypes {
				if strings.EqualFold(known, name) {
					d |= bitIf[DCCPTypes](i < 10, 1<<i) | bitIf(i == 10, DCCPInvalid)
					continue next
				}
			}
			return 0, fmt.Errorf("unknown DCCP type `%s'", name)
		}
		return d, d.Err()
	},
	Print: func(d DCCPTypes, _ nf.Family) string { return d.String() },
}

// wholeDCCP is struct dccp_hdr.
const wholeDCCP = 12

// Compile compares the ports, or leaves all of it to xt_dccp.
func (m DCCP) Compile(c *program.Code) error {
	if m.Types.Given() || m.Option.Given() {
		return dccp.Kernel(c, m)
	}
	c.Test(whole(wholeDCCP))
	testPortPair(c, m.Sport, m.Dport)
	return nil
}

func (m DCCP) blob(program.Env) (b xtables.DCCP) {
	add := func(given, not bool, bit uint16) {
		b.What |= bitIf(given, bit)
		b.Invert |= bitIf(not, bit)
	}
	add(m.Sport.ok, m.Sport.not, xtables.DCCPSport)
	add(m.Dport.ok, m.Dport.not, xtables.DCCPDport)
	add(m.Types.ok, m.Types.not, xtables.DCCPTypes)
	add(m.Option.ok, m.Option.not, xtables.DCCPOption)
	b.Sport[0], b.Sport[1], _ = m.Sport.v.Bounds()
	b.Dport[0], b.Dport[1], _ = m.Dport.v.Bounds()
	b.Types, b.Option = uint16(m.Types.v), m.Option.v
	return b
}

func readDCCPBlob(b xtables.DCCP, env program.Env) (m DCCP, ok bool) {
	has := func(bit uint16) (given, not bool) { return b.What&bit != 0, b.Invert&bit != 0 }
	if given, not := has(xtables.DCCPSport); given {
		m.Sport = isOrNot(not, nf.PortRange(b.Sport[0], b.Sport[1]))
	}
	if given, not := has(xtables.DCCPDport); given {
		m.Dport = isOrNot(not, nf.PortRange(b.Dport[0], b.Dport[1]))
	}
	if given, not := has(xtables.DCCPTypes); given {
		m.Types = isOrNot(not, DCCPTypes(b.Types))
	}
	if given, not := has(xtables.DCCPOption); given {
		m.Option = isOrNot(not, b.Option)
	}
	return m, m.blob(env) == b
}

func listDCCP(m DCCP, l *option.Lister) string {
	words := append([]string{"dccp"}, listGivenPorts(m.Sport, m.Dport, l, nf.DCCP)...)
	if d, not, ok := m.Types.Get(); ok {
		s := d.String()
		if l.Numeric() {
			s = strings.Join(bitNumbers(uint16(d)), ",")
		}
		if not {
			s = "! " + s
		}
		words = append(words, s)
	}
	if o, not, ok := m.Option.Get(); ok {
		words = append(words, fmt.Sprintf("option=%s%d", bang(not), o))
	}
	return strings.Join(words, " ")
}

// bitNumbers are the numbers of the bits that are set.
func bitNumbers(bits uint16) (out []string) {
	for i := range 16 {
		if bits&(1<<i) != 0 {
			out = append(out, fmt.Sprint(i))
		}
	}
	return out
}

// listGivenPorts is listPorts for source and destination, all ports left out.
func listGivenPorts(sport, dport Opt[nf.Ports], l *option.Lister, p nf.Protocol) (words []string) {
	all := Is(nf.PortRange(0, 65535))
	if sport != all {
		words = append(words, listPorts("spt", sport, l, p)...)
	}
	if dport != all {
		words = append(words, listPorts("dpt", dport, l, p)...)
	}
	return words
}
