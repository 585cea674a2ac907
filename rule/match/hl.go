package match

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// HL is -m hl: the hop limit of an IPv6 packet. It implies IPv6. Exactly one of
// the three must be given.
//
//	[!] --hl-eq value | --hl-lt value | --hl-gt value
//
// It is native: one byte of the IPv6 header, which every packet has; in the tables
// that are shared with iptables-nft it is xt_hl's match hl. It mirrors
// net/netfilter/xt_hl.c.
type HL struct {
	Eq Opt[uint8] // --hl-eq
	Lt Opt[uint8] // --hl-lt, not invertible
	Gt Opt[uint8] // --hl-gt, not invertible
}

// Name is "hl".
func (HL) Name() string { return hl.Name }

func (HL) ext() option.Extension { return hl }

var hl = &option.Spec[HL]{
	Name:     "hl",
	Families: nf.IPv6,
	Rows: []option.Row[HL]{
		opt("--hl-eq", func(m *HL) *Opt[uint8] { return &m.Eq }, hopCount, "--hl"),
		plain("--hl-lt", func(m *HL) *Opt[uint8] { return &m.Lt }, hopCount),
		plain("--hl-gt", func(m *HL) *Opt[uint8] { return &m.Gt }, hopCount),
	},
	Check: func(m *HL, _ option.Context) error { return hops(*m).check("--hl") },
	List:  func(m HL, _ *option.Lister) string { return "HL match HL " + hops(m).list() },
	Read: func(r *program.Reader) (HL, bool) {
		h, ok := readHops(r, hopLimitField)
		return HL(h), ok && !r.Env.V4()
	},
	XT: option.XTStruct(option.XT[HL]{}, 0,
		func(m HL, _ program.Env) xtables.HL { return hops(m).blob() },
		func(b xtables.HL, _ program.Env) (HL, bool) { h, ok := readHopsBlob(b); return HL(h), ok }),
}

var hopLimitField = program.Payload{Base: program.Network, Offset: 7, Len: 1}

// Compile compares the byte.
func (m HL) Compile(c *program.Code) error {
	c.Test(hops(m).test(hopLimitField))
	return nil
}

// hops is what TTL and HL have in common.
type hops struct{ Eq, Lt, Gt Opt[uint8] }

// hopCount is a codec for the number.
var hopCount = option.Number[uint8](0, 255)

// check wants exactly one option, and no inversion but of -eq.
func (h hops) check(name string) error {
	given := 0
	for _, o := range [...]Opt[uint8]{h.Eq, h.Lt, h.Gt} {
		if o.Given() {
			given++
		}
	}
	switch {
	case given == 0:
		return fmt.Errorf("you must specify one of %[1]s-eq, %[1]s-lt, %[1]s-gt", name)
	case given > 1:
		return fmt.Errorf("%[1]s-eq, %[1]s-lt and %[1]s-gt cannot be used together", name)
	case h.Lt.not || h.Gt.not:
		return fmt.Errorf("%[1]s-lt and %[1]s-gt: %[2]w", name, option.ErrNoInvert)
	}
	return nil
}

// test compares a byte of the network header.
func (h hops) test(field program.Payload) program.Test {
	t := program.Test{Load: field, Op: program.IsGt, A: program.Bytes(h.Gt.v)}
	switch {
	case h.Lt.Given():
		t.Op, t.A = program.IsLt, program.Bytes(h.Lt.v)
	case h.Eq.Given():
		t = program.IsValue(field, h.Eq.not, program.Bytes(h.Eq.v))
	}
	return t
}

// readHops takes what test made.
func readHops(r *program.Reader, field program.Payload) (h hops, ok bool) {
	t, ok := r.Test(0)
	if !ok || t.Load != field || t.Mask != (program.Value{}) || len(t.A.Data) != 1 {
		return h, false
	}
	n := t.A.Data[0]
	switch t.Op {
	case program.IsEq, program.IsNe:
		h.Eq = isOrNot(t.Not(), n)
	case program.IsLt:
		h.Lt = Is(n)
	case program.IsGt:
		h.Gt = Is(n)
	default:
		return h, false
	}
	r.Take(1)
	return h, true
}

// blob is the comparison as xt_hl holds it.
func (h hops) blob() xtables.HL {
	switch {
	case h.Lt.Given():
		return xtables.HL{Mode: xtables.HLLt, Hops: h.Lt.v}
	case h.Gt.Given():
		return xtables.HL{Mode: xtables.HLGt, Hops: h.Gt.v}
	case h.Eq.not:
		return xtables.HL{Mode: xtables.HLNe, Hops: h.Eq.v}
	}
	return xtables.HL{Mode: xtables.HLEq, Hops: h.Eq.v}
}

// readHopsBlob is blob's inverse.
func readHopsBlob(b xtables.HL) (h hops, ok bool) {
	switch b.Mode {
	case xtables.HLEq, xtables.HLNe:
		h.Eq = isOrNot(b.Mode == xtables.HLNe, b.Hops)
	case xtables.HLLt:
		h.Lt = Is(b.Hops)
	case xtables.HLGt:
		h.Gt = Is(b.Hops)
	default:
		return h, false
	}
	return h, true
}

// list is "== 64", as iptables -L prints it.
func (h hops) list() string {
	switch {
	case h.Lt.Given():
		return fmt.Sprintf("< %d", h.Lt.v)
	case h.Gt.Given():
		return fmt.Sprintf("> %d", h.Gt.v)
	case h.Eq.not:
		return fmt.Sprintf("!= %d", h.Eq.v)
	}
	return fmt.Sprintf("== %d", h.Eq.v)
}
