package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ICMP is -m icmp. It implies -p icmp and IPv4. The type must be given;
// nf.AnyType takes all.
//
//	[!] --icmp-type type[/code] | name | any
//
// It is native, behind a guard that the header is there: xt's icmp looks at first
// fragments only, and drops a packet whose header is cut short, where we only do
// not match it. In the tables that are shared with iptables-nft it is xt's. It
// mirrors the icmp match of net/netfilter/xt_tcpudp.c, for which
// 255 is every type, with whatever code.
type ICMP struct {
	Type Opt[nf.ICMPType] // --icmp-type; absent is an error
}

// Name is "icmp".
func (ICMP) Name() string { return icmp.Name }

func (ICMP) ext() option.Extension { return icmp }

var icmp = &option.Spec[ICMP]{
	Name:     "icmp",
	Families: nf.IPv4,
	Rows: []option.Row[ICMP]{
		opt("--icmp-type", func(m *ICMP) *Opt[nf.ICMPType] { return &m.Type }, icmpNames.codec()),
	},
	Check: func(m *ICMP, _ option.Context) error {
		if t, not, _ := m.Type.Get(); isType255(t) {
			m.Type = isOrNot(not, nf.AnyType())
		}
		return mandatory("--icmp-type", m.Type)
	},
	Needs: func(ICMP) option.Needs { return option.Needs{Protos: []nf.Protocol{nf.ICMP}, Imply: nf.ICMP} },
	List:  func(m ICMP, l *option.Lister) string { return icmpNames.list(m.Type, l) },
	Read: func(r *program.Reader) (m ICMP, ok bool) {
		if r.Env.Proto != uint8(nf.ICMP) || r.Env.ProtoNot || r.Env.V6() {
			return m, false
		}
		m.Type, ok = readICMP(r)
		return m, ok
	},
	XT: option.XTStruct(option.XT[ICMP]{}, 0,
		func(m ICMP, _ program.Env) xtables.ICMP { return icmpBlob(m.Type) },
		func(b xtables.ICMP, _ program.Env) (ICMP, bool) {
			o, ok := readICMPBlob(b)
			if b.Type == anyICMP {
				o = isOrNot(o.not, nf.AnyType())
			}
			return ICMP{o}, ok && icmpBlob(o) == b
		}),
}

// Compile compares the type, or the type and the code.
func (m ICMP) Compile(c *program.Code) error {
	testICMP(c, m.Type)
	return nil
}

// isType255 says whether t is 255 with any code or one, which xt takes for any.
func isType255(t nf.ICMPType) bool {
	n, ok := t.Type()
	return ok && n == anyICMP
}

// anyICMP is the type that xt takes for any.
const anyICMP = 255

// icmpBlob is a type, and its code or all codes, as xt holds them.
func icmpBlob(o Opt[nf.ICMPType]) xtables.ICMP {
	t, not, _ := o.Get()
	b := xtables.ICMP{Type: anyICMP, Code: [2]uint8{0, 255}}
	if n, ok := t.Type(); ok {
		b.Type = n
	}
	if code, one := t.Code(); one {
		b.Code = [2]uint8{code, code}
	}
	if not {
		b.Invert = xtables.ICMPInvert
	}
	return b
}

// readICMPBlob reads icmpBlob's type as a number.
func readICMPBlob(b xtables.ICMP) (o Opt[nf.ICMPType], ok bool) {
	t := nf.Type(b.Type)
	if b.Code[0] == b.Code[1] {
		t = nf.TypeCode(b.Type, b.Code[0])
	}
	o = isOrNot(b.Invert == xtables.ICMPInvert, t)
	return o, icmpBlob(o) == b
}

var (
	icmpTypeField = program.Payload{Base: program.Transport, Offset: 0, Len: 1}
	icmpBothField = program.Payload{Base: program.Transport, Offset: 0, Len: 2}
	icmpNotField  = program.Payload{Base: program.Transport, Offset: 0, Len: 3}
)

// testICMP compares an ICMP or ICMPv6 header. A type with its code is one
// comparison of two bytes, which nft prints as two; inverted it would print them
// as two that must both differ, so there the byte behind them is taken in too, as
// a range of everything that it can be. "! any" is the guard turned round: no
// number is less than 0.
func testICMP(c *program.Code, o Opt[nf.ICMPType]) {
	t, not, _ := o.Get()
	guard := whole(wholeICMP)
	if t.Any() && not {
		guard.Op = program.IsLt
	}
	c.Test(guard)
	typ, ok := t.Type()
	if !ok {
		return
	}
	code, one := t.Code()
	switch {
	case !one:
		c.Test(program.IsValue(icmpTypeField, not, program.Bytes(typ)))
	case not:
		c.Test(program.IsWithin(icmpNotField, true, program.Bytes(typ, code, 0), program.Bytes(typ, code, 255)))
	default:
		c.Test(program.IsValue(icmpBothField, false, program.Bytes(typ, code)))
	}
}

// readICMP takes what testICMP added.
func readICMP(r *program.Reader) (o Opt[nf.ICMPType], ok bool) {
	guard, ok := r.Test(0)
	never := guard.Op == program.IsLt
	guard.Op = program.IsGe
	if !ok || guard != whole(wholeICMP) {
		return o, false
	}
	r.Take(1)
	o = isOrNot(never, nf.AnyType())
	t, ok := r.Test(0)
	if never || !ok || t.Mask != (program.Value{}) {
		return o, true
	}
	switch {
	case t.Load == icmpTypeField && t.Op <= program.IsNe && len(t.A.Data) == 1:
		o = isOrNot(t.Not(), nf.Type(t.A.Data[0]))
	case t.Load == icmpBothField && t.Op == program.IsEq && len(t.A.Data) == 2:
		o = Is(nf.TypeCode(t.A.Data[0], t.A.Data[1]))
	case t.Load == icmpNotField && t.Op == program.Outside && len(t.A.Data) == 3:
		o = Not(nf.TypeCode(t.A.Data[0], t.A.Data[1]))
	default:
		return o, true
	}
	r.Take(1)
	return o, true
}
