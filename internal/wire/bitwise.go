package wire

import (
	"encoding/binary"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// NFTA_BITWISE_* and NFT_BITWISE_*; net/netfilter/nft_bitwise.c.
const (
	bitwiseSreg  = 1
	bitwiseDreg  = 2
	bitwiseLen   = 3
	bitwiseMask  = 4
	bitwiseXor   = 5
	bitwiseOp    = 6
	bitwiseData  = 7
	bitwiseSreg2 = 8

	opMaskXor = 0
	opLeft    = 1
	opRight   = 2
)

func (w *writer) bitwiseHead(src, dst program.Reg, n, op uint32) int {
	at := w.begin("bitwise")
	w.reg(bitwiseSreg, src)
	w.reg(bitwiseDreg, dst)
	w.u32(bitwiseLen, n)
	w.u32(bitwiseOp, op)
	return at
}

func (w *writer) bitwise(e program.Bitwise) {
	at := w.bitwiseHead(e.Src, e.Dst, e.Len, opMaskXor)
	w.value(bitwiseMask, e.Mask)
	w.value(bitwiseXor, e.Xor)
	w.done(at)
}

// shift writes the number of bits as the kernel wants it, a host-order number
// whatever the register holds.
func (w *writer) shift(e program.Shift) {
	op := uint32(opRight)
	if e.Left {
		op = opLeft
	}
	at := w.bitwiseHead(e.Src, e.Dst, e.Len, op)
	w.value(bitwiseData, program.Host32(e.Bits))
	w.done(at)
}

func (w *writer) bitwise2(e program.Bitwise2) {
	at := w.bitwiseHead(e.Src, e.Dst, e.Len, uint32(e.Op))
	w.reg(bitwiseSreg2, e.Src2)
	w.done(at)
}

func decodeBitwise(f *fields) program.Expr {
	src, dst, n := f.reg(bitwiseSreg), f.reg(bitwiseDreg), f.u32(bitwiseLen)
	switch op := f.u32(bitwiseOp); op {
	case opMaskXor:
		return program.Bitwise{Src: src, Dst: dst, Len: n, Mask: f.value(bitwiseMask), Xor: f.value(bitwiseXor)}
	case opLeft, opRight:
		bits := f.value(bitwiseData).Data
		if len(bits) != 4 {
			return nil
		}
		return program.Shift{Src: src, Dst: dst, Len: n, Left: op == opLeft, Bits: binary.NativeEndian.Uint32([]byte(bits))}
	default:
		return program.Bitwise2{Op: program.BitOp(op), Src: src, Src2: f.reg(bitwiseSreg2), Dst: dst, Len: n}
	}
}
