package wire

import (
	"bytes"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// begin writes an expression's name and opens its data.
func (w *writer) begin(name string) int {
	w.str(exprName, name)
	return w.open(exprData)
}

// expr writes an expression: its name and data.
func (w *writer) expr(e program.Expr) {
	switch e := e.(type) {
	case program.Payload:
		w.payload(e)
	case program.Meta:
		w.meta(e)
	case program.Cmp:
		w.cmp(e)
	case program.Counter:
		w.counter(e)
	case program.Verdict:
		w.verdictExpr(e)
	case program.Bitwise:
		w.bitwise(e)
	case program.Lookup:
		w.lookup(e)
	case program.Range:
		w.rangeExpr(e)
	case program.Immediate:
		w.immediate(e)
	case program.CT:
		w.ct(e)
	case program.XTMatch:
		w.xt("match", e)
	case program.XTTarget:
		w.xt("target", program.XTMatch(e))
	case program.Raw:
		w.raw(e)
	default:
		w.rare(e)
	}
}

// rare writes what few rules have.
func (w *writer) rare(e program.Expr) {
	switch e := e.(type) {
	case program.PayloadSet:
		w.payloadSet(e)
	case program.MetaSet:
		w.metaSet(e)
	case program.CTSet:
		w.ctSet(e)
	case program.Shift:
		w.shift(e)
	case program.Bitwise2:
		w.bitwise2(e)
	case program.Byteorder:
		w.byteorder(e)
	case program.Limit:
		w.limit(e)
	case program.Quota:
		w.quota(e)
	case program.Log:
		w.log(e)
	case program.Reject:
		w.reject(e)
	case program.NAT:
		w.nat(e)
	case program.Masq:
		w.masq(e)
	case program.Redir:
		w.redir(e)
	case program.Fib:
		w.fib(e)
	case program.Exthdr:
		w.exthdr(e)
	case program.TCPStrip:
		w.tcpStrip(e)
	case program.Dup:
		w.dup(e)
	case program.Notrack:
		w.str(exprName, "notrack")
	default:
		w.err = fmt.Errorf("%T is no expression of a rule", e)
	}
}

// decoders has, by an expression's name, what makes it of its attributes. The
// answer may be wrong, or nil: typed looks.
var decoders = map[string]func(f *fields) program.Expr{
	"payload":   decodePayload,
	"meta":      decodeMeta,
	"ct":        decodeCT,
	"cmp":       decodeCmp,
	"range":     decodeRange,
	"bitwise":   decodeBitwise,
	"byteorder": decodeByteorder,
	"lookup":    decodeLookup,
	"immediate": decodeImmediate,
	"counter":   decodeCounter,
	"limit":     decodeLimit,
	"quota":     decodeQuota,
	"log":       decodeLog,
	"reject":    decodeReject,
	"nat":       decodeNAT,
	"masq":      decodeMasq,
	"redir":     decodeRedir,
	"fib":       decodeFib,
	"exthdr":    decodeExthdr,
	"dup":       decodeDup,
	"notrack":   decodeNotrack,
	"match":     decodeMatch,
	"target":    decodeTarget,
}

// typed decodes one expression by itself, its values all in network order, and
// Raw where it cannot be said otherwise. scratch is for encoding it again.
func typed(name string, data []byte, scratch *scratch) program.Expr {
	if e, ok := scratch.typed(name, data); ok {
		return e
	}
	return program.Raw{Name: name, Data: string(data)}
}

func (s *scratch) typed(name string, data []byte) (program.Expr, bool) {
	decode, ok := decoders[name]
	if !ok || !s.f.parse(data) {
		return nil, false
	}
	e := decode(&s.f)
	if e == nil {
		return nil, false
	}
	s.w.b, s.w.err = s.w.b[:0], nil
	strip, isStrip := e.(program.TCPStrip)
	quota, isQuota := e.(program.Quota)
	switch { // what the kernel dumps otherwise than it takes it
	case isStrip && s.f[exthdrOffset] != nil:
		s.w.dumpedStrip(strip)
	case isQuota && s.f.u32(quotaFlags)&quotaDepleted != 0 && quota.Consumed >= quota.Bytes:
		s.w.depletedQuota(quota)
	default:
		s.w.expr(e)
	}
	n, again, ok := nameData(s.w.b)
	if s.w.err != nil || !ok || string(n) != name || !same(again, data) {
		return nil, false
	}
	return e, true
}

// scratch is what decoding one expression needs, for the next to use again.
type scratch struct {
	f fields
	w writer
}

// nameData takes an expression apart.
func nameData(b []byte) (name, data []byte, ok bool) {
	a := attrs(b)
	typ, val, _, ok := a.next()
	if !ok || typ != exprName {
		return nil, nil, false
	}
	name = bytes.TrimSuffix(val, []byte{0})
	if len(a) == 0 {
		return name, nil, true
	}
	typ, data, _, ok = a.next()
	return name, data, ok && typ == exprData && len(a) == 0
}

// EncodeExpr gives an expression's NFTA_EXPR_NAME and NFTA_EXPR_DATA. A Lookup in
// a set of the rule's own has none, since it refers to another message.
func EncodeExpr(e program.Expr) (name, data string, err error) {
	if l, ok := e.(program.Lookup); ok && l.Name == "" {
		return "", "", fmt.Errorf("%v has no form by itself", e)
	}
	var w writer
	w.expr(e)
	if w.err != nil {
		return "", "", fmt.Errorf("%v: %w", e, w.err)
	}
	n, b, _ := nameData(w.b)
	return string(n), string(b), nil
}

// DecodeExprs decodes a rule's expressions. It takes all of them at once,
// because what a comparison's bytes are depends on what was loaded.
func DecodeExprs(raws []program.Raw) []program.Expr {
	var s scratch
	out := make([]program.Expr, len(raws))
	for i, r := range raws {
		out[i] = typed(r.Name, []byte(r.Data), &s)
	}
	orient(out)
	return out
}

// Canonical is a rule's expressions as they would be read back: each Raw in its
// typed form, where it has one, registers by the kernel's numbers, and without
// what the kernel fills in. A lookup in a set of the rule's own stays as it is.
func Canonical(exprs []program.Expr) []program.Expr {
	var s scratch
	out := make([]program.Expr, len(exprs))
	for i, e := range exprs {
		out[i] = canonical(e, &s)
	}
	orient(out)
	return out
}

func canonical(e program.Expr, s *scratch) program.Expr {
	if l, ok := e.(program.Lookup); ok {
		l.Reg, l.Dst = register(l.Reg), register(l.Dst)
		return l
	}
	var w writer
	w.expr(e)
	name, data, ok := nameData(w.b)
	if w.err != nil || !ok {
		return e
	}
	return typed(string(name), data, s)
}
