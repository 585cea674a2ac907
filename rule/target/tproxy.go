package target

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TPROXY is -j TPROXY: it hands a packet to a local socket, whatever its
// destination, and leaves it as it is. A packet for which there is no socket is
// dropped, any other accepted. It needs -p tcp or -p udp, and is for the chain
// PREROUTING of the table mangle, and the user chains that it leads to.
//
//	--on-port port  [--on-ip address]  [--tproxy-mark value[/mask]]
//
// It is the kernel's own xt target, revision 1, which the kernel ties to the table
// name mangle; nf_tables' tproxy breaks off where no socket is, and goes on where
// there is one. It mirrors net/netfilter/xt_TPROXY.c. A port above 65535, of which
// iptables takes the lower 16 bits, is refused, as is an address with less than
// four numbers.
type TPROXY struct {
	Port Opt[uint16] // --on-port: the socket's, 0 for the port that the packet has; absent is an error
	Addr netip.Addr  // --on-ip: the socket's; zero: the address of the interface that the packet came in by
	Mark nf.MarkBits // --tproxy-mark: bits of the packet's mark to set; zero: none
}

// Name is "TPROXY".
func (TPROXY) Name() string { return tproxy.Name }

func (TPROXY) ext() option.Extension { return tproxy }

var tproxy = &option.Spec[TPROXY]{
	Name: "TPROXY",
	Rows: []option.Row[TPROXY]{
		opt("--on-port", func(t *TPROXY) *Opt[uint16] { return &t.Port }, option.Codec[uint16]{
			Want:  "a port",
			Parse: option.ParseDecimalPort,
			Print: func(p uint16, _ nf.Family) string { return fmt.Sprint(p) },
		}),
		{
			Name: "--on-ip", Args: 1, Want: "an address",
			Set: func(t *TPROXY, _ bool, w []string, c option.Context) (err error) {
				t.Addr, err = netip.ParseAddr(w[0])
				if f := nf.FamilyOf(t.Addr); err == nil && c.Family != nf.Both && c.Family != f {
					return fmt.Errorf("host %q is not %v", w[0], c.Family)
				}
				return err
			},
			Get: func(t *TPROXY, f nf.Family) (bool, string, bool) {
				a := t.addr(f)
				return false, a.String(), a.IsValid()
			},
		},
		{
			Name: "--tproxy-mark", Args: 1, Want: "value[/mask]",
			Set: func(t *TPROXY, _ bool, w []string, c option.Context) (err error) {
				t.Mark, err = option.MarkBits.Parse(w[0], c)
				return err
			},
			Get: func(t *TPROXY, _ nf.Family) (bool, string, bool) {
				return false, fmt.Sprintf("0x%x/0x%x", t.Mark.Value(), t.Mark.Mask()), true
			},
		},
	},
	Check: func(t *TPROXY, _ option.Context) error {
		if t.Addr = t.Addr.Unmap(); t.Addr.Zone() != "" {
			return fmt.Errorf("--on-ip %v has a zone", t.Addr)
		}
		if t.Addr.IsValid() && t.Addr.IsUnspecified() {
			t.Addr = netip.Addr{}
		}
		if t.Mark.Value() == 0 && t.Mark.Mask() == 0 {
			t.Mark = nf.MarkBits{}
		}
		return must("--on-port", t.Port.Given())
	},
	Needs: func(t TPROXY) option.Needs {
		n := option.Needs{Protos: []nf.Protocol{nf.TCP, nf.UDP}, Tables: []string{"mangle"}, Chains: []string{"PREROUTING"}}
		if t.Addr.IsValid() {
			n.Family = nf.FamilyOf(t.Addr)
		}
		return n
	},
	List: func(t TPROXY, l *option.Lister) string {
		return fmt.Sprintf("TPROXY redirect %v:%d mark 0x%x/0x%x", t.addr(l.Family), t.Port.v, t.Mark.Value(), t.Mark.Mask())
	},
	XT: option.XTStruct(option.XT[TPROXY]{Target: true, Tables: []string{"mangle"}}, 1, TPROXY.blob, readTPROXYBlob),
}

// addr is the address as iptables of a family prints it, where it says one of
// none at all; for both families only one that was given is valid.
func (t TPROXY) addr(f nf.Family) netip.Addr {
	switch {
	case t.Addr.IsValid() || f == nf.Both:
		return t.Addr
	case f == nf.IPv6:
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// Compile adds the kernel's target.
func (t TPROXY) Compile(a program.Action) error { return tproxy.Kernel(a.Code, t) }

func (t TPROXY) blob(program.Env) (b xtables.TProxy) {
	b.MarkMask, b.MarkValue = t.Mark.Mask(), t.Mark.Value()
	copy(b.Addr[:], t.Addr.AsSlice())
	binary.BigEndian.PutUint16(b.Port[:], t.Port.v)
	return b
}

func readTPROXYBlob(b xtables.TProxy, env program.Env) (t TPROXY, ok bool) {
	t.Port = Is(binary.BigEndian.Uint16(b.Port[:]))
	if b.MarkMask != 0 || b.MarkValue != 0 {
		t.Mark = nf.MarkMask(b.MarkValue, b.MarkMask)
	}
	if t.Addr = netip.AddrFrom16(b.Addr); env.Family == program.IP {
		t.Addr = netip.AddrFrom4([4]byte(b.Addr[:]))
	}
	if t.Addr.IsUnspecified() {
		t.Addr = netip.Addr{}
	}
	return t, t.blob(env) == b
}
