package match

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Realm is -m realm: the realm of the route that the packet takes, as "ip route …
// realm" set it. It implies IPv4, and is for packets that have been routed: not
// in PREROUTING.
//
//	[!] --realm value[/mask] | [!] --realm name
//
// A name is one of the host's /etc/iproute2/rt_realms, which is read when the
// rule is parsed. It is printed as a number, but for 0, which is cosmos on every
// host (iptables-save looks all of them up). It is native: meta rtclassid, under
// the mask where that is not all bits, unless that is none of them. It mirrors
// net/netfilter/xt_realm.c.
type Realm struct {
	Realm Opt[nf.MarkBits] // --realm: nf.Mark(10) is realm 10, all 32 bits of it; absent is an error
}

// Name is "realm".
func (Realm) Name() string { return realm.Name }

func (Realm) ext() option.Extension { return realm }

var realm = &option.Spec[Realm]{
	Name:     "realm",
	Families: nf.IPv4,
	Rows: []option.Row[Realm]{
		opt("--realm", func(m *Realm) *Opt[nf.MarkBits] { return &m.Realm }, realms),
	},
	Check: func(m *Realm, _ option.Context) error { return mandatory("--realm", m.Realm) },
	Needs: func(Realm) option.Needs {
		return option.Needs{Chains: []string{"INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}}
	},
	List: listRealm,
	Read: func(r *program.Reader) (Realm, bool) {
		o, ok := readMark(r, program.Meta{Key: program.MetaRealm})
		return Realm{o}, ok && !r.Env.V6()
	},
	XT: option.XTStruct(option.XT[Realm]{}, 0,
		func(m Realm, _ program.Env) xtables.Realm {
			b, not, _ := m.Realm.Get()
			return xtables.Realm{ID: b.Value(), Mask: b.Mask(), Invert: bitIf[uint8](not, 1)}
		},
		func(b xtables.Realm, _ program.Env) (Realm, bool) {
			return Realm{isOrNot(b.Invert != 0, nf.MarkMask(b.ID, b.Mask))}, b.Invert <= 1
		}),
}

// Compile compares the realm. A mask of 0 is xt_realm's: nft cannot load what it
// prints of it.
func (m Realm) Compile(c *program.Code) error {
	if b, _, _ := m.Realm.Get(); b.Mask() == 0 {
		return realm.Kernel(c, m)
	}
	c.Test(markTest(program.Meta{Key: program.MetaRealm}, m.Realm))
	return nil
}

// realms is a codec for "value[/mask]" or a name.
var realms = option.Codec[nf.MarkBits]{
	Want: "value[/mask], or the name of a realm",
	Parse: func(w string, c option.Context) (nf.MarkBits, error) {
		if w != "" && w[0] >= '0' && w[0] <= '9' {
			return option.MarkBits.Parse(w, c)
		}
		if w == cosmos {
			return nf.Mark(0), nil
		}
		n, ok := numberOf(w, 1<<32-1, "/etc/iproute2/rt_realms", "/usr/share/iproute2/rt_realms")
		if !ok {
			return nf.MarkBits{}, fmt.Errorf("could not map name %s to an integer value", w)
		}
		return nf.Mark(uint32(n)), nil
	},
	Print: func(b nf.MarkBits, _ nf.Family) string {
		if b == nf.Mark(0) {
			return cosmos
		}
		return b.String()
	},
}

// cosmos is realm 0, where routes are that nobody put into another.
const cosmos = "cosmos"

// listRealm prints the blank after "!" as iptables does.
func listRealm(m Realm, l *option.Lister) string {
	b, not, _ := m.Realm.Get()
	if l.Numeric() {
		return blank(not) + "realm " + b.String()
	}
	return blank(not) + "realm " + realms.Print(b, nf.IPv4)
}
