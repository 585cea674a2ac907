package program

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// value is a value that may have any length, none included.
func value() *rapid.Generator[Value] {
	return rapid.Custom(func(t *rapid.T) Value {
		return Value{
			Data: rapid.SampledFrom([]string{"", "\x00", "\x06", "\x00\x16", "\x00\x00", "\x00\x00\x00\x00", "\xff\xff\xff\x00", "eth0"}).Draw(t, "data"),
			Host: rapid.Bool().Draw(t, "host"),
		}
	})
}

// part is an expression of the kinds that tests are made of, or another, with
// registers and values that fit and that do not.
func part() *rapid.Generator[Expr] {
	return rapid.Custom(func(t *rapid.T) Expr {
		reg := rapid.SampledFrom([]Reg{0, 1, 1, 1, 2, 8}).Draw(t, "reg")
		switch rapid.IntRange(0, 12).Draw(t, "kind") {
		case 0:
			return Payload{Base: Transport, Offset: 2, Len: 2, Reg: reg}
		case 1:
			return Meta{Key: MetaL4Proto, Reg: reg}
		case 2:
			return CT{Key: CTState, Dir: Original, Reg: reg}
		case 3:
			return Fib{Result: FibAddrType, Flags: FibDaddr, Reg: reg}
		case 4:
			return Exthdr{Op: ExthdrTCPOpt, Type: 2, Len: 1, Present: true, Reg: reg}
		case 5, 6:
			return Cmp{Op: CmpOp(rapid.IntRange(0, 6).Draw(t, "op")), Reg: reg, Value: value().Draw(t, "value")}
		case 7:
			return Range{Not: rapid.Bool().Draw(t, "not"), Reg: reg, Lo: value().Draw(t, "lo"), Hi: value().Draw(t, "hi")}
		case 8, 9:
			b := Bitwise{Src: reg, Dst: 1, Mask: value().Draw(t, "mask"), Xor: value().Draw(t, "xor")}
			b.Len = rapid.SampledFrom([]uint32{uint32(len(b.Mask.Data)), 4}).Draw(t, "len")
			return b
		case 10:
			c := ConstSet{Type: TypeService, Len: 2, Elems: "\x00\x16"}
			return rapid.SampledFrom([]Expr{
				Lookup{Const: c, Reg: reg}, Lookup{Const: c, Reg: 1, Not: true}, Lookup{Const: c, Name: "ports_22", Reg: 1},
				Lookup{Name: "bans", Reg: 1}, Lookup{Const: c, Reg: 1, Map: true}, Lookup{Const: c, Reg: 1, Dst: 2},
			}).Draw(t, "lookup")
		case 11:
			return Counter{Packets: 3}
		}
		return Verdict{Kind: NFTJump, Chain: "log"}
	})
}

// almost is a test as extensions write them, in expressions of which one may be a
// little different.
func almost() *rapid.Generator[[]Expr] {
	return rapid.Custom(func(t *rapid.T) []Expr {
		exprs := slices.Clone(rapid.SampledFrom(tests).Draw(t, "test").want)
		at := rapid.IntRange(0, 2*len(exprs)).Draw(t, "at")
		if at >= len(exprs) {
			return exprs
		}
		switch e := exprs[at].(type) {
		case Bitwise:
			exprs[at] = rapid.SampledFrom([]Expr{
				Bitwise{e.Src, e.Dst, e.Len + 4, e.Mask, e.Xor}, Bitwise{e.Src, 2, e.Len, e.Mask, e.Xor}, Bitwise{2, e.Dst, e.Len, e.Mask, e.Xor},
				Bitwise{e.Src, e.Dst, e.Len, e.Mask, Value{e.Xor.Data, !e.Xor.Host}}, Bitwise{e.Src, e.Dst, e.Len, e.Mask, e.Mask},
				Bitwise{e.Src, e.Dst, e.Len, e.Mask, Value{e.Xor.Data[1:], e.Xor.Host}}, Bitwise{Src: e.Src, Dst: e.Dst},
			}).Draw(t, "bitwise")
		case Lookup:
			exprs[at] = rapid.SampledFrom([]Expr{
				Lookup{e.Name, e.Const, e.Reg, e.Map, 2, e.Not}, Lookup{"x", e.Const, e.Reg, e.Map, e.Dst, e.Not},
				Lookup{e.Name, e.Const, e.Reg, true, e.Dst, e.Not}, Lookup{e.Name, e.Const, e.Reg, e.Map, e.Dst, !e.Not},
			}).Draw(t, "lookup")
		case Cmp:
			exprs[at] = Cmp{e.Op, e.Reg, value().Draw(t, "value")}
		default:
			exprs[at] = part().Draw(t, "part")
		}
		return exprs
	})
}

// drawn is some tests and other expressions.
func drawn() *rapid.Generator[[]Expr] {
	return rapid.Custom(func(t *rapid.T) (exprs []Expr) {
		for range rapid.IntRange(0, 5).Draw(t, "parts") {
			if rapid.Bool().Draw(t, "test") {
				exprs = append(exprs, almost().Draw(t, "exprs")...)
			} else {
				exprs = append(exprs, part().Draw(t, "expr"))
			}
		}
		return exprs
	})
}

// TestReaderKeepsExpressions: the tests and expressions that a reader makes of a
// program are that program.
func TestReaderKeepsExpressions(t *testing.T) {
	var r Reader // for all, so that nothing of one is left in the next
	rapid.Check(t, func(t *rapid.T) {
		exprs := drawn().Draw(t, "exprs")
		r.Reset(exprs, Env{}, nil)
		n := r.Left()
		if got := r.Exprs(n); !slices.Equal(got, exprs) {
			t.Fatalf("read\n%sof\n%s", Dump(got), Dump(exprs))
		}
		var parts []Expr
		for r.Left() > 0 {
			if _, test := r.Test(0); test != (r.Item(0) != nil && isTest(r.Item(0))) {
				t.Fatal("an item is a test or it is not")
			}
			parts = append(parts, r.Exprs(1)...)
			r.Take(1)
		}
		if r.Item(0) != nil || !slices.Equal(parts, exprs) {
			t.Fatalf("one by one:\n%s", Dump(parts))
		}
		r.Seek(0)
		if r.Left() != n {
			t.Fatalf("%d items, and %d from the beginning", n, r.Left())
		}
	})
}

func isTest(e Expr) bool {
	_, ok := e.(*Test)
	return ok
}

// tests are those that extensions write.
var tests = []struct {
	test Test
	want []Expr
}{
	{IsValue(Meta{Key: MetaL4Proto}, false, Host8(6)), []Expr{Meta{Key: MetaL4Proto, Reg: 1}, Cmp{Reg: 1, Value: Bytes(6)}}},
	{IsValue(Payload{Base: Network, Offset: 12, Len: 4}, true, Net32(1)), []Expr{
		Payload{Base: Network, Offset: 12, Len: 4, Reg: 1}, Cmp{Op: Ne, Reg: 1, Value: Bytes(0, 0, 0, 1)}}},
	{IsMasked(CT{Key: CTState}, true, Host32(6), Host32(0)), []Expr{
		CT{Key: CTState, Reg: 1},
		Bitwise{Src: 1, Dst: 1, Len: 4, Mask: Value{"\x00\x00\x00\x06", true}, Xor: Value{"\x00\x00\x00\x00", true}},
		Cmp{Op: Ne, Reg: 1, Value: Value{"\x00\x00\x00\x00", true}}}},
	{IsWithin(Payload{Base: Transport, Len: 2}, false, Net16(5), Net16(9)), []Expr{
		Payload{Base: Transport, Len: 2, Reg: 1}, Range{Reg: 1, Lo: Bytes(0, 5), Hi: Bytes(0, 9)}}},
	{IsWithin(Payload{Base: Transport, Len: 2}, true, Net16(5), Net16(9)), []Expr{
		Payload{Base: Transport, Len: 2, Reg: 1}, Range{Not: true, Reg: 1, Lo: Bytes(0, 5), Hi: Bytes(0, 9)}}},
	{IsWithin(Payload{Base: Transport, Len: 2}, true, Net16(5), Net16(5)), []Expr{
		Payload{Base: Transport, Len: 2, Reg: 1}, Cmp{Op: Ne, Reg: 1, Value: Bytes(0, 5)}}},
	{IsIn(Fib{Result: FibAddrType, Flags: FibDaddr}, true, ConstSet{Type: TypeFibAddr, Len: 4, Host: true, Elems: "\x00\x00\x00\x02"}), []Expr{
		Fib{Result: FibAddrType, Flags: FibDaddr, Reg: 1},
		Lookup{Const: ConstSet{Type: TypeFibAddr, Len: 4, Host: true, Elems: "\x00\x00\x00\x02"}, Reg: 1, Not: true}}},
	{Test{Load: Exthdr{Op: ExthdrTCPOpt, Type: 2, Len: 1, Present: true}, Op: IsGe, A: Bytes(1)}, []Expr{
		Exthdr{Op: ExthdrTCPOpt, Type: 2, Len: 1, Present: true, Reg: 1}, Cmp{Op: Ge, Reg: 1, Value: Bytes(1)}}},
}

// TestTests: each test is written as these expressions, and read from them.
func TestTests(t *testing.T) {
	for _, c := range tests {
		var code Code
		code.Test(c.test)
		if !slices.Equal(code.Exprs(), c.want) {
			t.Errorf("written\n%swant\n%s", Dump(code.Exprs()), Dump(c.want))
		}
		r := NewReader(c.want, Env{}, nil)
		if got, ok := r.Test(0); !ok || got != c.test || r.Left() != 1 {
			t.Errorf("read %+v, want %+v", got, c.test)
		}
	}
}

// TestNotes: notes are those of the match that is being read.
func TestNotes(t *testing.T) {
	r := NewReader(nil, Env{}, []Note{{0, NoteIs, "multiport"}, {1, NoteComment, "c"}, {1, NoteList, "5,3"}})
	if text, ok := r.Comment(); r.Is() != "multiport" || ok || text != "" {
		t.Errorf("first match: is %q, comment %q", r.Is(), text)
	}
	r.Next()
	comment, _ := r.Comment()
	list, _ := r.List()
	if r.At() != 1 || r.Is() != "" || comment != "c" || list != "5,3" {
		t.Errorf("second match: is %q, comment %q, list %q", r.Is(), comment, list)
	}
}
