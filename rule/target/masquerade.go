package target

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Masquerade is -j MASQUERADE: SNAT to the address of the interface that the
// packet leaves by. It is valid in table nat, chain POSTROUTING. The zero value
// is the usual one.
//
//	--to-ports port[-port]  --random  --random-fully
//
// It is native, nf_tables' masq expression, in every family. It mirrors
// net/netfilter/xt_MASQUERADE.c and nf_nat_masquerade.c.
type Masquerade struct {
	Ports nf.Ports // --to-ports; zero: the kernel chooses
	NATOptions
}

// Name is "MASQUERADE".
func (Masquerade) Name() string { return masquerade.Name }

func (Masquerade) ext() option.Extension { return masquerade }

var masquerade = &option.Spec[Masquerade]{
	Name: "MASQUERADE",
	Rows: []option.Row[Masquerade]{
		portsRow(func(t *Masquerade) *nf.Ports { return &t.Ports }),
		option.Flag("--random", func(t *Masquerade) *bool { return &t.Random }),
		option.Flag("--random-fully", func(t *Masquerade) *bool { return &t.RandomFully }),
	},
	Check: func(t *Masquerade, c option.Context) error {
		if err := t.unknown(false, true); err != nil {
			return err
		}
		return checkPorts(t.Ports, c)
	},
	Needs: func(Masquerade) option.Needs {
		return option.Needs{Tables: []string{"nat"}, Chains: []string{"POSTROUTING"}}
	},
	List: func(t Masquerade, _ *option.Lister) string {
		if !t.Ports.Given() {
			return t.words("")
		}
		return t.words("masq ports: " + t.Ports.Format("-"))
	},
	Read: func(r *program.Reader) (t Masquerade, ok bool) {
		vals, e := readStored(r)
		m, ok := e.(program.Masq)
		if !ok {
			return t, false
		}
		t.NATOptions = natOptions(m.Flags)
		t.Ports, ok = vals.ports(m.ProtoMin, m.ProtoMax)
		return t, ok
	},
	XT: natXT(0,
		func(t Masquerade) natRange { return natRange{ports: t.Ports, flags: t.flags()} },
		func(n natRange) Masquerade { return Masquerade{n.ports, natOptions(n.flags)} }),
}

// Compile adds the masq expression.
func (t Masquerade) Compile(a program.Action) error {
	s := store(a, nf.Addrs{}, t.Ports)
	a.Add(program.Masq{ProtoMin: s.portMin, ProtoMax: s.portMax, Flags: t.flags()})
	return nil
}
