package nf

import "strconv"

// ICMPType is an ICMP or ICMPv6 type with an optional code. The zero value is
// "not given".
type ICMPType struct {
	typ, lo, hi uint8
	kind        icmpKind
}

type icmpKind uint8

const (
	icmpAny  icmpKind = iota + 1 // "any": every type (255 in the kernel's struct)
	icmpType                     // one type, codes lo to hi
)

// Type is any code of type t.
func Type(t uint8) ICMPType { return ICMPType{t, 0, 255, icmpType} }

// TypeCode is one code of type t.
func TypeCode(t, c uint8) ICMPType { return ICMPType{t, c, c, icmpType} }

// AnyType is every type: "--icmp-type any".
func AnyType() ICMPType { return ICMPType{kind: icmpAny, hi: 255} }

// Any says whether t is AnyType.
func (t ICMPType) Any() bool { return t.kind == icmpAny }

// Type is the type's number; ok is false for AnyType and the zero value.
func (t ICMPType) Type() (n uint8, ok bool) { return t.typ, t.kind == icmpType }

// Code is the code; ok is false where any code will do.
func (t ICMPType) Code() (c uint8, ok bool) { return t.lo, t.kind == icmpType && t.lo == t.hi }

// Err is not nil for the zero value.
func (t ICMPType) Err() error {
	if t.kind == 0 {
		return &ValueError{Kind: "ICMP type", Reason: "not given"}
	}
	return nil
}

// String is "8", "3/1" or "any"; "" for the zero value.
func (t ICMPType) String() string {
	switch {
	case t.kind == 0:
		return ""
	case t.kind == icmpAny:
		return "any"
	case t.lo == t.hi:
		return strconv.Itoa(int(t.typ)) + "/" + strconv.Itoa(int(t.lo))
	}
	return strconv.Itoa(int(t.typ))
}
