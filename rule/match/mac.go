package match

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// MAC is -m mac: the Ethernet address that a packet came from, in PREROUTING,
// INPUT, FORWARD and what they go to. The zero value is an error. IPv4 and IPv6.
//
//	[!] --mac-source address
//
// It is native: the interface is an Ethernet, and bytes 6 to 11 of the frame.
// Packets of other interfaces do not match, inverted or not. In the tables that
// are shared with iptables-nft it is xt_mac. It mirrors net/netfilter/xt_mac.c.
type MAC struct {
	Source Opt[EtherAddr] // --mac-source; absent is an error
	length int            // what MACSource was given that is no Ethernet address, plus one
}

// EtherAddr is an Ethernet address. The zero value is 00:00:00:00:00:00.
type EtherAddr [6]byte

// String is "00:11:22:aa:bb:cc".
func (a EtherAddr) String() string { return net.HardwareAddr(a[:]).String() }

// MACSource is "-m mac --mac-source a". An address that has not 6 bytes, like
// the nil that net.ParseMAC returns beside an error, is an error.
func MACSource(a net.HardwareAddr) MAC {
	if len(a) != len(EtherAddr{}) {
		return MAC{length: len(a) + 1}
	}
	return MAC{Source: Is(EtherAddr(a))}
}

// Name is "mac".
func (MAC) Name() string { return mac.Name }

func (MAC) ext() option.Extension { return mac }

var mac = &option.Spec[MAC]{
	Name: "mac",
	Rows: []option.Row[MAC]{
		opt("--mac-source", func(m *MAC) *Opt[EtherAddr] { return &m.Source }, etherAddr),
	},
	Check: func(m *MAC, _ option.Context) error {
		switch {
		case m.length != 0:
			return fmt.Errorf("invalid MAC address specified: %d bytes instead of 6", m.length-1)
		case !m.Source.Given():
			return errors.New(`option "--mac-source" must be specified`)
		}
		return nil
	},
	Needs: func(MAC) option.Needs { return option.Needs{Chains: []string{"PREROUTING", "INPUT", "FORWARD"}} },
	List: func(m MAC, _ *option.Lister) string {
		a, not, _ := m.Source.Get()
		return "MAC " + blank(not) + a.String()
	},
	Read: readMAC,
	XT: option.XTStruct(option.XT[MAC]{}, 0,
		func(m MAC, _ program.Env) xtables.MAC {
			a, not, _ := m.Source.Get()
			b := xtables.MAC{Source: a}
			if not {
				b.Invert = 1
			}
			return b
		},
		func(b xtables.MAC, _ program.Env) (MAC, bool) {
			return MAC{Source: isOrNot(b.Invert == 1, EtherAddr(b.Source))}, b.Invert == b.Invert&1
		}),
}

// etherAddr is a codec for six bytes of one or two hexadecimal digits.
var etherAddr = option.Codec[EtherAddr]{
	Want: "an Ethernet address, like 00:11:22:aa:bb:cc",
	Parse: func(w string, _ option.Context) (a EtherAddr, err error) {
		parts := strings.Split(w, ":")
		if len(parts) != len(a) {
			return a, errors.New("invalid MAC address specified")
		}
		for i, p := range parts {
			n, err := strconv.ParseUint(p, 16, 8)
			if err != nil || len(p) > 2 {
				return a, errors.New("invalid MAC address specified")
			}
			a[i] = byte(n)
		}
		return a, nil
	},
	Print: func(a EtherAddr, _ nf.Family) string { return a.String() },
}

// onEthernet is "meta iiftype ether", which nft implies before "ether saddr".
var onEthernet = program.IsValue(program.Meta{Key: program.MetaIiftype}, false, program.Host16(1))

// etherSource is the frame's source address.
var etherSource = program.Payload{Base: program.LinkLayer, Offset: 6, Len: 6}

// Compile compares the address, behind a look at the interface.
func (m MAC) Compile(c *program.Code) error {
	a, not, _ := m.Source.Get()
	c.Test(onEthernet, program.IsValue(etherSource, not, program.Bytes(a[:]...)))
	return nil
}

func readMAC(r *program.Reader) (m MAC, ok bool) {
	ether, _ := r.Test(0)
	t, ok := r.Test(1)
	if !ok || ether != onEthernet || t.Load != etherSource || len(t.A.Data) != len(EtherAddr{}) {
		return m, false
	}
	a := EtherAddr([]byte(t.A.Data))
	if t != program.IsValue(etherSource, t.Not(), program.Bytes(a[:]...)) {
		return m, false
	}
	r.Take(2)
	return MAC{Source: isOrNot(t.Not(), a)}, true
}
