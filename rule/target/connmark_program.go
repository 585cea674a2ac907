package target

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Compile changes or copies the mark natively where that replaces it, else with
// xt_connmark.
func (t CONNMARK) Compile(a program.Action) error {
	switch {
	case t.shift != 0:
		return connmark.Kernel(a.Code, t)
	case t.mode == connSet:
		compileMark(a, connMark, t.bits)
	case t.mode == connSave && t.ctmask == 0xffffffff:
		copyMark(a, packetMark.load, t.nfmask, connMark.store)
	case t.mode == connRestore && t.nfmask == 0xffffffff:
		copyMark(a, connMark.load, t.ctmask, packetMark.store)
	default:
		return connmark.Kernel(a.Code, t)
	}
	return nil
}

// copyMark stores the bits of a mark elsewhere.
func copyMark(a program.Action, load program.Expr, bits uint32, store program.Expr) {
	a.Add(load)
	if bits != 0xffffffff {
		a.Add(bitwise(bits, 0))
	}
	a.Add(store)
}

// blob is what xt_connmark is given; iptables leaves the mask of the packet's mark
// full where the connection's is set.
func (t CONNMARK) blob(program.Env) xtables.ConnMark {
	b := xtables.ConnMark{
		CTMark: t.bits.Value(), CTMask: t.ctmask, NFMask: t.nfmask,
		ShiftBits: t.shift, Mode: uint8(t.mode) - 1,
	}
	if t.mode == connSet {
		b.CTMask, b.NFMask = t.bits.Mask(), 0xffffffff
	}
	if t.right {
		b.ShiftDir = 1
	}
	return b
}

func readConnmark(r *program.Reader) (t CONNMARK, ok bool) {
	if bits, ok := readMark(r, connMark); ok {
		return SetConnXMark(bits), true
	}
	keep, _, n := readBitwise(r, 1)
	switch load, store := r.Item(0), r.Item(1+n); {
	case load == packetMark.load && store == connMark.store:
		t = SaveMark(keep, 0xffffffff)
	case load == connMark.load && store == packetMark.store:
		t = RestoreMark(0xffffffff, keep)
	default:
		return t, false
	}
	r.Take(2 + n)
	return t, true
}

func readXTConnmark(b xtables.ConnMark, env program.Env) (t CONNMARK, ok bool) {
	t = CONNMARK{mode: connMode(b.Mode) + 1, shift: b.ShiftBits, right: b.ShiftDir == 1}
	if t.mode == connSet {
		t.bits = nf.MarkMask(b.CTMark, b.CTMask)
	} else {
		t.nfmask, t.ctmask = b.NFMask, b.CTMask
	}
	return t, t.blob(env) == b && t.mode <= connRestore
}
