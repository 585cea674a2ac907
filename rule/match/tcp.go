package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TCP is -m tcp. It implies -p tcp. The zero value matches every TCP packet
// whose header is whole.
//
//	[!] --sport port[:port]  [!] --dport port[:port]
//	[!] --tcp-flags mask set  [!] --syn  [!] --tcp-option number
//
// Ports and flags are native, behind a guard that the header is there: xt_tcp
// looks at first fragments only, and drops a packet whose header is cut short,
// where we only do not match it. --tcp-option is the kernel's own xt match,
// which ip and ip6 tables have and inet tables have not. It mirrors
// net/netfilter/xt_tcpudp.c.
//
// In the tables that are shared with iptables-nft ports and flags are what it
// makes of them, without the guard: there a crafted later fragment can pass for
// a header on a host that tracks no connections. What it would widen
// ("! --sport a ! --dport b", which it makes "not both", inverted ranges of all
// ports, and flags of none) is xt_tcp there, which it reads as well.
type TCP struct {
	Sport  Opt[nf.Ports] // --sport
	Dport  Opt[nf.Ports] // --dport
	Flags  Opt[TCPFlags] // --tcp-flags; SYN is --syn
	Option Opt[uint8]    // --tcp-option, 1 to 255
}

// TCPFlags are the flags that are looked at (high byte) and those of them that
// must be set (low byte). Made by Flags.
type TCPFlags uint16

const (
	SYN    TCPFlags = 0x1702 // --syn: SYN set; FIN, RST and ACK not
	AnySYN TCPFlags = 0x0602 // SYN,RST SYN: also SYN-ACK, what a clamp of the segment size wants
)

// Flags looks at the flags in mask and wants exactly those in set. The bits are
// the TCP header's: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32; iptables has no
// names for the other two, which are an error. Where set has flags that mask has
// not, no packet will do.
func Flags(mask, set uint8) TCPFlags { return TCPFlags(mask)<<8 | TCPFlags(set) }

func (f TCPFlags) mask() uint8 { return uint8(f >> 8) }
func (f TCPFlags) set() uint8  { return uint8(f) }

// Name is "tcp".
func (TCP) Name() string { return tcp.Name }

func (TCP) ext() option.Extension { return tcp }

var tcp = &option.Spec[TCP]{
	Name: "tcp",
	Rows: []option.Row[TCP]{
		opt("--sport", func(m *TCP) *Opt[nf.Ports] { return &m.Sport }, option.Ports, "--source-port"),
		opt("--dport", func(m *TCP) *Opt[nf.Ports] { return &m.Dport }, option.Ports, "--destination-port"),
		opt("--tcp-option", func(m *TCP) *Opt[uint8] { return &m.Option }, option.Number[uint8](1, 255)),
		{
			Name: "--tcp-flags", Args: 2, Invert: true, Want: "two lists of flags",
			Set: setTCPFlags,
			Get: func(m *TCP, _ nf.Family) (bool, string, bool) {
				f, not, ok := m.Flags.Get()
				return not, flagNames(f.mask()) + " " + flagNames(f.set()), ok
			},
		},
		{
			Name: "--syn", Invert: true,
			Set: func(m *TCP, not bool, _ []string, _ option.Context) error {
				return setFlags(m, not, SYN)
			},
		},
	},
	Check: checkTCP,
	Needs: func(TCP) option.Needs { return option.Needs{Protos: []nf.Protocol{nf.TCP}, Imply: nf.TCP} },
	List:  listTCP,
	Read:  readTCP,
	XT:    option.XTStruct(option.XT[TCP]{}, 0, TCP.blob, readTCPBlob),

	SharedNative: true,
}

const allTCPFlags = 0x3f

// tcpFlagNames are the flags in the order in which iptables prints them.
var tcpFlagNames = [...]struct {
	name string
	bit  uint8
}{{"FIN", 1}, {"SYN", 2}, {"RST", 4}, {"PSH", 8}, {"ACK", 16}, {"URG", 32}}

func setTCPFlags(m *TCP, not bool, words []string, _ option.Context) error {
	mask, err := parseTCPFlags(words[0])
	if err != nil {
		return err
	}
	set, err := parseTCPFlags(words[1])
	if err != nil {
		return err
	}
	return setFlags(m, not, Flags(mask, set))
}

// setFlags stores what --tcp-flags or --syn says.
func setFlags(m *TCP, not bool, f TCPFlags) error {
	if m.Flags.Given() {
		return errors.New("only one of --syn or --tcp-flags allowed")
	}
	m.Flags = isOrNot(not, f)
	return nil
}

// checkTCP drops options that every packet meets, as iptables-save does: all
// ports, and no flag of none.
func checkTCP(m *TCP, _ option.Context) error {
	if v, _, ok := m.Option.Get(); ok && v == 0 {
		return errors.New("--tcp-option 0 is no option")
	}
	if f, _, _ := m.Flags.Get(); (f.mask()|f.set())&^allTCPFlags != 0 {
		return fmt.Errorf("--tcp-flags: %#x and %#x have flags that iptables has no names for", f.mask(), f.set())
	}
	if m.Flags == Is(Flags(0, 0)) {
		m.Flags = Opt[TCPFlags]{}
	}
	return checkPorts(&m.Sport, &m.Dport)
}

func parseTCPFlags(w string) (bits uint8, err error) {
next:
	for _, name := range strings.Split(w, ",") {
		switch strings.ToUpper(name) {
		case "ALL":
			bits |= allTCPFlags
			continue
		case "NONE":
			continue
		}
		for _, f := range tcpFlagNames {
			if strings.EqualFold(f.name, name) {
				bits |= f.bit
				continue next
			}
		}
		return 0, fmt.Errorf("unknown TCP flag `%s'", name)
	}
	return bits, nil
}

func flagNames(bits uint8) string {
	var names []string
	for _, f := range tcpFlagNames {
		if bits&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	if names == nil {
		return "NONE"
	}
	return strings.Join(names, ",")
}

func listTCP(m TCP, l *option.Lister) string {
	words := []string{"tcp"}
	words = append(words, listPorts("spt", m.Sport, l, nf.TCP)...)
	words = append(words, listPorts("dpt", m.Dport, l, nf.TCP)...)
	if o, not, ok := m.Option.Get(); ok {
		words = append(words, fmt.Sprintf("option=%s%d", bang(not), o))
	}
	if f, not, ok := m.Flags.Get(); ok {
		s := fmt.Sprintf("0x%02X/0x%02X", f.mask(), f.set())
		if !l.Numeric() {
			s = flagNames(f.mask()) + "/" + flagNames(f.set())
		}
		words = append(words, "flags:"+bang(not)+s)
	}
	return strings.Join(words, " ")
}

// bang is "!" where not.
func bang(not bool) string {
	if not {
		return "!"
	}
	return ""
}
