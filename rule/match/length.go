package match

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Length is -m length: the bytes of a packet from its IP header on, that header
// included.
//
//	[!] --length length[:length]
//
// It is native: meta length, which is what xt_length compares too (the header's
// own field would say 0 for a jumbo packet). A range is compared in network
// order, since nf_tables compares bytes. In the tables that are shared with
// iptables-nft it is xt_length. Unlike iptables it refuses a range that
// runs backward, which could match nothing. It mirrors net/netfilter/xt_length.c.
type Length struct {
	Length Opt[LengthRange] // --length; absent is an error
}

// LengthRange is a length in bytes, or a range of lengths.
type LengthRange struct {
	Min, Max uint16 // both included; Min > Max is an error
}

// Err is not nil for a range that runs backward.
func (r LengthRange) Err() error {
	if r.Min > r.Max {
		return fmt.Errorf("invalid range %v (min > max)", r)
	}
	return nil
}

// String is "100" or "100:200".
func (r LengthRange) String() string {
	if r.Min == r.Max {
		return fmt.Sprint(r.Min)
	}
	return fmt.Sprintf("%d:%d", r.Min, r.Max)
}

// Name is "length".
func (Length) Name() string { return length.Name }

func (Length) ext() option.Extension { return length }

var length = &option.Spec[Length]{
	Name: "length",
	Rows: []option.Row[Length]{
		opt("--length", func(m *Length) *Opt[LengthRange] { return &m.Length }, lengths),
	},
	Check: func(m *Length, _ option.Context) error { return mandatory("--length", m.Length) },
	List: func(m Length, _ *option.Lister) string {
		r, not, _ := m.Length.Get()
		return "length " + bang(not) + r.String()
	},
	Read: readLength,
	XT: option.XTStruct(option.XT[Length]{}, 0,
		func(m Length, _ program.Env) xtables.Length {
			r, not, _ := m.Length.Get()
			b := xtables.Length{Min: r.Min, Max: r.Max}
			if not {
				b.Invert = 1
			}
			return b
		},
		func(b xtables.Length, _ program.Env) (Length, bool) {
			return Length{isOrNot(b.Invert == 1, LengthRange{b.Min, b.Max})}, b.Invert <= 1
		}),
}

// lengths is a codec for a length or a range, either side open.
var lengths = option.Codec[LengthRange]{
	Want: "length[:length], 0 to 65535",
	Parse: func(w string, _ option.Context) (LengthRange, error) {
		lo, hi, err := parseRange(w, 65535)
		r := LengthRange{uint16(lo), uint16(hi)}
		if err == nil {
			err = r.Err()
		}
		return r, err
	},
	Print: func(r LengthRange, _ nf.Family) string { return r.String() },
}

var (
	lengthField = program.Meta{Key: program.MetaLen}
	// What a range needs first: the length in a register, in network order.
	lengthLoad = program.Meta{Key: program.MetaLen, Reg: lengthReg}
	lengthSwap = program.Byteorder{Src: lengthReg, Dst: lengthReg, ToNetwork: true, Len: 4, Size: 4}
)

const lengthReg program.Reg = 1

// Compile compares the length.
func (m Length) Compile(c *program.Code) error {
	r, not, _ := m.Length.Get()
	if r.Min == r.Max {
		c.Test(program.IsValue(lengthField, not, program.Host32(uint32(r.Min))))
		return nil
	}
	c.Add(lengthLoad, lengthSwap, program.Range{
		Not: not, Reg: lengthReg, Lo: program.Net32(uint32(r.Min)), Hi: program.Net32(uint32(r.Max)),
	})
	return nil
}

// readLength takes what Compile added.
func readLength(r *program.Reader) (m Length, ok bool) {
	if t, ok := r.Test(0); ok {
		n, _ := t.A.Uint()
		if t.Load != lengthField || t.Mask != (program.Value{}) || t.Op > program.IsNe || n > 65535 {
			return m, false
		}
		r.Take(1)
		return Length{isOrNot(t.Not(), LengthRange{uint16(n), uint16(n)})}, true
	}
	e, ok := r.Item(2).(program.Range)
	if !ok || r.Item(0) != lengthLoad || r.Item(1) != lengthSwap || e.Reg != lengthReg {
		return m, false
	}
	lo, _ := e.Lo.Uint()
	hi, _ := e.Hi.Uint()
	if lo > 65535 || hi > 65535 {
		return m, false
	}
	r.Take(3)
	return Length{isOrNot(e.Not, LengthRange{uint16(lo), uint16(hi)})}, true
}
