package program

// Test is one comparison as a person thinks of it: a field, the bits of it that
// count, and what they must be. Nearly every match is a few of these, so that
// extensions compile to Tests and decompile from them, and neither deals with
// registers.
type Test struct {
	Load Expr     // Payload, Meta, CT, Fib or Exthdr, its register left 0
	Mask Value    // the bits that count; the zero value: all
	Op   TestOp   // how it is compared
	A, B Value    // what with; B for ranges
	Set  ConstSet // what with, for In and NotIn
}

// TestOp is how a Test compares.
type TestOp uint8

const (
	IsEq    TestOp = iota // == A
	IsNe                  // != A
	IsLt                  // < A
	IsLe                  // <= A
	IsGt                  // > A
	IsGe                  // >= A
	Within                // A to B
	Outside               // not A to B
	In                    // an element of Set
	NotIn                 // no element of Set
)

func (Test) expr() {}

// String dumps the expressions that the test stands for.
func (t Test) String() string { return Dump(t.exprs()) }

// IsValue is load == v, or, with not, load != v.
func IsValue(load Expr, not bool, v Value) Test {
	if not {
		return Test{Load: load, Op: IsNe, A: v}
	}
	return Test{Load: load, Op: IsEq, A: v}
}

// IsMasked is load & mask == v, or, with not, != v.
func IsMasked(load Expr, not bool, mask, v Value) Test {
	t := IsValue(load, not, v)
	t.Mask = mask
	return t
}

// IsWithin is lo <= load <= hi, or, with not, outside of it. One value makes a
// plain comparison.
func IsWithin(load Expr, not bool, lo, hi Value) Test {
	switch {
	case lo == hi:
		return IsValue(load, not, lo)
	case not:
		return Test{Load: load, Op: Outside, A: lo, B: hi}
	}
	return Test{Load: load, Op: Within, A: lo, B: hi}
}

// IsIn is load in set, or, with not, load not in set.
func IsIn(load Expr, not bool, set ConstSet) Test {
	if not {
		return Test{Load: load, Op: NotIn, Set: set}
	}
	return Test{Load: load, Op: In, Set: set}
}

// Not says whether the test is the inverted one of its pair (IsNe, Outside, NotIn).
func (t Test) Not() bool { return t.Op == IsNe || t.Op == Outside || t.Op == NotIn }

// Bounds are the first and last value of an IsEq, IsNe, Within or Outside test.
func (t Test) Bounds() (lo, hi Value, ok bool) {
	switch t.Op {
	case IsEq, IsNe:
		return t.A, t.A, true
	case Within, Outside:
		return t.A, t.B, true
	}
	return lo, hi, false
}

// testReg is the register that every test uses, as nft's and iptables-nft's do.
const testReg Reg = 1

// exprs spells the test out.
func (t *Test) exprs() []Expr { return t.appendTo(nil) }

// appendTo appends what exprs is.
func (t *Test) appendTo(out []Expr) []Expr {
	out = append(out, withReg(t.Load, testReg))
	if t.Mask != (Value{}) {
		zero := Value{Data: string(make([]byte, len(t.Mask.Data))), Host: t.Mask.Host}
		out = append(out, Bitwise{Src: testReg, Dst: testReg, Len: uint32(len(t.Mask.Data)), Mask: t.Mask, Xor: zero})
	}
	switch t.Op {
	case Within, Outside:
		return append(out, Range{Not: t.Op == Outside, Reg: testReg, Lo: t.A, Hi: t.B})
	case In, NotIn:
		return append(out, Lookup{Const: t.Set, Reg: testReg, Not: t.Op == NotIn})
	}
	return append(out, Cmp{Op: CmpOp(t.Op), Reg: testReg, Value: t.A})
}

// parseTest reads a test off the front of exprs; n is how many it took, 0 if
// there is none. Those that the test stands for are the same ones.
func parseTest(exprs []Expr) (t Test, n int) {
	if len(exprs) < 2 {
		return t, 0
	}
	reg, ok := loadReg(exprs[0])
	if !ok || reg != testReg {
		return t, 0
	}
	t.Load, n = withReg(exprs[0], 0), 1
	if b, ok := exprs[n].(Bitwise); ok {
		if b.Src != testReg || b.Dst != testReg || len(exprs) < 3 || !plainMask(b) {
			return t, 0
		}
		t.Mask, n = b.Mask, 2
	}
	switch e := exprs[n].(type) {
	case Cmp:
		if e.Reg != testReg || e.Op > Ge {
			return t, 0
		}
		t.Op, t.A = TestOp(e.Op), e.Value
	case Range:
		if e.Reg != testReg {
			return t, 0
		}
		t.Op, t.A, t.B = Within, e.Lo, e.Hi
		if e.Not {
			t.Op = Outside
		}
	case Lookup:
		if e.Reg != testReg || e.Map || e.Dst != 0 || e.Name != "" || e.Const == (ConstSet{}) {
			return t, 0
		}
		t.Op, t.Set = In, e.Const
		if e.Not {
			t.Op = NotIn
		}
	default:
		return t, 0
	}
	return t, n + 1
}

// plainMask says whether a bitwise step only masks, and is written as Test.exprs
// writes it.
func plainMask(b Bitwise) bool {
	n := len(b.Mask.Data)
	return n > 0 && int(b.Len) == n && len(b.Xor.Data) == n && b.Xor.Host == b.Mask.Host && b.Xor.Zero()
}

// loadReg is the register that a load fills.
func loadReg(e Expr) (Reg, bool) {
	switch e := e.(type) {
	case Payload:
		return e.Reg, true
	case Meta:
		return e.Reg, true
	case CT:
		return e.Reg, true
	case Fib:
		return e.Reg, true
	case Exthdr:
		return e.Reg, true
	}
	return 0, false
}

// withReg is a load into another register.
func withReg(e Expr, r Reg) Expr {
	switch e := e.(type) {
	case Payload:
		e.Reg = r
		return e
	case Meta:
		e.Reg = r
		return e
	case CT:
		e.Reg = r
		return e
	case Fib:
		e.Reg = r
		return e
	case Exthdr:
		e.Reg = r
		return e
	}
	return e
}
