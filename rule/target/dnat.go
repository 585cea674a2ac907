package target

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// DNAT is -j DNAT: it sends the packet's connection elsewhere. It is valid in
// table nat, chains PREROUTING and OUTPUT. Made by DNATTo for the everyday case;
// the zero value is an error.
//
//	--to-destination [address[-address]][:port[-port[/port]]]
//	--random  --persistent
//
// It is native, nf_tables' nat expression, in every family; only a shift of
// ports needs xt_nat's own target, which the kernel ties to the table name nat.
// A range of addresses that runs backward is refused, and so is port 0, which
// iptables takes. It mirrors net/netfilter/xt_nat.c.
type DNAT struct {
	To    nf.Addrs // --to-destination's addresses; zero: the address stays, and Ports must be given
	Ports nf.Ports // its ports; zero: the port stays
	Shift uint16   // the port behind the slash, which becomes the first of Ports; zero: no shift
	NATOptions
}

// DNATTo sends the packet to one address and port; port 0 is an error.
func DNATTo(to netip.AddrPort) DNAT {
	return DNAT{To: nf.Addr(to.Addr()), Ports: nf.Port(to.Port())}
}

// Name is "DNAT".
func (DNAT) Name() string { return dnat.Name }

// Family is that of the address; Both for ports alone.
func (t DNAT) Family() nf.Family { return t.To.Family() }

func (DNAT) ext() option.Extension { return dnat }

var dnat = &option.Spec[DNAT]{
	Name: "DNAT",
	Rows: []option.Row[DNAT]{
		{
			Name: "--to-destination", Args: 1, Want: "[address[-address]][:port[-port[/port]]]",
			Set: setDestination,
			Get: func(t *DNAT, _ nf.Family) (bool, string, bool) { return false, t.text(), true },
		},
		option.Flag("--random", func(t *DNAT) *bool { return &t.Random }),
		option.Flag("--persistent", func(t *DNAT) *bool { return &t.Persistent }),
	},
	Check: checkDNAT,
	Needs: func(t DNAT) option.Needs {
		return option.Needs{Family: t.Family(), Tables: []string{"nat"}, Chains: []string{"PREROUTING", "OUTPUT"}}
	},
	List: func(t DNAT, _ *option.Lister) string { return t.words("to:" + t.text()) },
	Read: func(r *program.Reader) (t DNAT, ok bool) {
		t.To, t.Ports, t.NATOptions, ok = readNAT(r, true)
		return t, ok
	},
	XT: &dnatXT,
}

func setDestination(t *DNAT, _ bool, w []string, c option.Context) error {
	to, ports, err := parseTo(w[0], c)
	t.To = to
	if err != nil || ports == "" {
		return err
	}
	ports, shift, shifted := strings.Cut(ports, "/")
	if t.Ports, err = parsePorts(ports, c); err != nil || !shifted {
		return err
	}
	if t.Shift, err = option.ParsePort(shift, c); err == nil && t.Shift == 0 {
		err = errors.New("port `0' not valid")
	}
	return err
}

func checkDNAT(t *DNAT, c option.Context) error {
	switch {
	case t.To.Given():
		if err := t.To.Err(); err != nil {
			return err
		}
	case !t.Ports.Given():
		return errors.New("option \"--to-destination\" must be specified")
	}
	switch {
	case t.Ports == nf.Port(0):
		return errors.New("port 0 is no destination")
	case t.Shift != 0 && (!t.Ports.Given() || t.Ports.Single()):
		return errors.New("a shift needs a range of ports before the slash")
	}
	if err := t.unknown(true, false); err != nil {
		return err
	}
	return checkPorts(t.Ports, c)
}

func (t DNAT) text() string {
	if !t.Ports.Given() {
		return printTo(t.To, "")
	}
	ports := ":" + t.Ports.Format("-")
	if t.Shift != 0 {
		ports += "/" + strconv.Itoa(int(t.Shift))
	}
	return printTo(t.To, ports)
}

// Compile adds the nat expression, or xt_nat's target where ports are shifted.
func (t DNAT) Compile(a program.Action) error {
	if t.Shift != 0 {
		return dnat.Kernel(a.Code, t)
	}
	return compileNAT(a, true, t.To, t.Ports, t.flags())
}
