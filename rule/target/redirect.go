package target

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Redirect is -j REDIRECT: DNAT to this host itself. It is valid in table nat,
// chains PREROUTING and OUTPUT. The zero value keeps the port.
//
//	--to-ports port[-port]  --random
//
// It is native, nf_tables' redir expression, in every family. It mirrors
// net/netfilter/xt_REDIRECT.c and nf_nat_redirect.c.
type Redirect struct {
	Ports nf.Ports // --to-ports; zero: the port stays
	NATOptions
}

// Name is "REDIRECT".
func (Redirect) Name() string { return redirect.Name }

func (Redirect) ext() option.Extension { return redirect }

var redirect = &option.Spec[Redirect]{
	Name: "REDIRECT",
	Rows: []option.Row[Redirect]{
		portsRow(func(t *Redirect) *nf.Ports { return &t.Ports }),
		option.Flag("--random", func(t *Redirect) *bool { return &t.Random }),
	},
	Check: func(t *Redirect, c option.Context) error {
		if err := t.unknown(true, true); err != nil {
			return err
		}
		return checkPorts(t.Ports, c)
	},
	Needs: func(Redirect) option.Needs {
		return option.Needs{Tables: []string{"nat"}, Chains: []string{"PREROUTING", "OUTPUT"}}
	},
	List: func(t Redirect, _ *option.Lister) string {
		if !t.Ports.Given() {
			return t.words("")
		}
		return t.words("redir ports " + t.Ports.Format("-"))
	},
	Read: func(r *program.Reader) (t Redirect, ok bool) {
		vals, e := readStored(r)
		m, ok := e.(program.Redir)
		if !ok {
			return t, false
		}
		t.NATOptions = natOptions(m.Flags)
		t.Ports, ok = vals.ports(m.ProtoMin, m.ProtoMax)
		return t, ok
	},
	XT: natXT(0,
		func(t Redirect) natRange { return natRange{ports: t.Ports, flags: t.flags()} },
		func(n natRange) Redirect { return Redirect{n.ports, natOptions(n.flags)} }),
}

// Compile adds the redir expression.
func (t Redirect) Compile(a program.Action) error {
	s := store(a, nf.Addrs{}, t.Ports)
	a.Add(program.Redir{ProtoMin: s.portMin, ProtoMax: s.portMax, Flags: t.flags()})
	return nil
}
