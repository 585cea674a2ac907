package match

import (
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Connlabel is -m connlabel: one of 128 labels of the packet's connection. A
// packet without a connection has none, so that it matches the inverted form.
//
//	[!] --label number|name  --set
//
// A name is one of the host's /etc/xtables/connlabel.conf, which is read when the
// rule is parsed; it is printed as a number (iptables-save prints the name on a
// host that has the file). It is the kernel's own xt match, which every family
// has: it makes the kernel give new connections room for labels, and nf_tables'
// ct label does not. It mirrors net/netfilter/xt_connlabel.c.
type Connlabel struct {
	Label Opt[uint8] // --label: its number, at most 127; absent is an error
	Set   bool       // --set: give it to the connection; it matches where that worked
}

// Name is "connlabel".
func (Connlabel) Name() string { return connlabel.Name }

func (Connlabel) ext() option.Extension { return connlabel }

const maxLabel = 127 // XT_CONNLABEL_MAXBIT

var connlabel = &option.Spec[Connlabel]{
	Name: "connlabel",
	Rows: []option.Row[Connlabel]{
		opt("--label", func(m *Connlabel) *Opt[uint8] { return &m.Label }, labels),
		option.Flag("--set", func(m *Connlabel) *bool { return &m.Set }),
	},
	Check: func(m *Connlabel, _ option.Context) error {
		n, _, ok := m.Label.Get()
		switch {
		case !ok:
			return errors.New(`option "--label" must be specified`)
		case n > maxLabel:
			return fmt.Errorf("label %d, %d at most", n, maxLabel)
		}
		return nil
	},
	List: func(m Connlabel, _ *option.Lister) string {
		n, not, _ := m.Label.Get()
		s := "connlabel " + blank(not) + fmt.Sprint(n)
		if m.Set {
			s += " set"
		}
		return s
	},
	XT: option.XTStruct(option.XT[Connlabel]{Inet: true}, 0,
		func(m Connlabel, _ program.Env) xtables.Connlabel {
			n, not, _ := m.Label.Get()
			return xtables.Connlabel{
				Bit:     uint16(n),
				Options: bitIf[uint16](not, xtables.ConnlabelInvert) | bitIf[uint16](m.Set, xtables.ConnlabelSet),
			}
		},
		func(b xtables.Connlabel, _ program.Env) (Connlabel, bool) {
			m := Connlabel{Label: isOrNot(b.Options&xtables.ConnlabelInvert != 0, uint8(b.Bit)), Set: b.Options&xtables.ConnlabelSet != 0}
			return m, b.Bit <= maxLabel && b.Options <= xtables.ConnlabelInvert|xtables.ConnlabelSet
		}),
}

// labels is a codec for a label's number or name.
var labels = option.Codec[uint8]{
	Want: "a label's number from 0 to 127, or its name",
	Parse: func(w string, _ option.Context) (uint8, error) {
		if n, err := option.Uint(w, 0, maxLabel); err == nil {
			return uint8(n), nil
		}
		if n, ok := numberOf(w, maxLabel, "/etc/xtables/connlabel.conf"); ok {
			return uint8(n), nil
		}
		return 0, fmt.Errorf("label '%s' not found or invalid value", w)
	},
	Print: func(n uint8, _ nf.Family) string { return fmt.Sprintf(`"%d"`, n) },
}

// Compile is the kernel's own match.
func (m Connlabel) Compile(c *program.Code) error { return connlabel.Kernel(c, m) }
