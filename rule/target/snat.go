package target

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// SNAT is -j SNAT: it gives the packet's connection another source. It is valid
// in table nat, chains INPUT and POSTROUTING. The zero value is an error.
//
//	--to-source [address[-address]][:port[-port]]
//	--random  --random-fully  --persistent
//
// It is native, nf_tables' nat expression, in every family. A range of
// addresses that runs backward and a shift of ports ("1-9/5", which iptables
// reads and forgets) are refused. It mirrors net/netfilter/xt_nat.c.
type SNAT struct {
	To    nf.Addrs // --to-source's addresses; zero: the address stays, and Ports must be given
	Ports nf.Ports // its ports; zero: the kernel chooses
	NATOptions
}

// Name is "SNAT".
func (SNAT) Name() string { return snat.Name }

// Family is that of the address; Both for ports alone.
func (t SNAT) Family() nf.Family { return t.To.Family() }

func (SNAT) ext() option.Extension { return snat }

var snat = &option.Spec[SNAT]{
	Name: "SNAT",
	Rows: []option.Row[SNAT]{
		{
			Name: "--to-source", Args: 1, Want: "[address[-address]][:port[-port]]",
			Set: func(t *SNAT, _ bool, w []string, c option.Context) error {
				to, ports, err := parseTo(w[0], c)
				if err == nil && ports != "" {
					t.Ports, err = parsePorts(ports, c)
				}
				t.To = to
				return err
			},
			Get: func(t *SNAT, _ nf.Family) (bool, string, bool) { return false, t.text(), true },
		},
		option.Flag("--random", func(t *SNAT) *bool { return &t.Random }),
		option.Flag("--random-fully", func(t *SNAT) *bool { return &t.RandomFully }),
		option.Flag("--persistent", func(t *SNAT) *bool { return &t.Persistent }),
	},
	Check: func(t *SNAT, c option.Context) error {
		switch {
		case t.To.Given():
			if err := t.To.Err(); err != nil {
				return err
			}
		case !t.Ports.Given():
			return errors.New("option \"--to-source\" must be specified")
		}
		return checkPorts(t.Ports, c)
	},
	Needs: func(t SNAT) option.Needs {
		return option.Needs{Family: t.Family(), Tables: []string{"nat"}, Chains: []string{"INPUT", "POSTROUTING"}}
	},
	List: func(t SNAT, _ *option.Lister) string { return t.words("to:" + t.text()) },
	Read: func(r *program.Reader) (t SNAT, ok bool) {
		t.To, t.Ports, t.NATOptions, ok = readNAT(r, false)
		return t, ok
	},
	XT: natXT(1,
		func(t SNAT) natRange { return natRange{to: t.To, ports: t.Ports, flags: t.flags()} },
		func(n natRange) SNAT { return SNAT{n.to, n.ports, natOptions(n.flags)} }),
}

func (t SNAT) text() string {
	if !t.Ports.Given() {
		return printTo(t.To, "")
	}
	return printTo(t.To, ":"+t.Ports.Format("-"))
}

// Compile adds the nat expression.
func (t SNAT) Compile(a program.Action) error {
	return compileNAT(a, false, t.To, t.Ports, t.flags())
}
