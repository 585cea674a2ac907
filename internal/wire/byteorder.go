package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_BYTEORDER_*; net/netfilter/nft_byteorder.c.
const (
	byteorderSreg = 1
	byteorderDreg = 2
	byteorderOp   = 3
	byteorderLen  = 4
	byteorderSize = 5

	byteorderHton = 1
)

func (w *writer) byteorder(e program.Byteorder) {
	at := w.begin("byteorder")
	w.reg(byteorderSreg, e.Src)
	w.reg(byteorderDreg, e.Dst)
	op := uint32(0)
	if e.ToNetwork {
		op = byteorderHton
	}
	w.u32(byteorderOp, op)
	w.u32(byteorderLen, e.Len)
	w.u32(byteorderSize, e.Size)
	w.done(at)
}

func decodeByteorder(f *fields) program.Expr {
	return program.Byteorder{
		Src: f.reg(byteorderSreg), Dst: f.reg(byteorderDreg), ToNetwork: f.u32(byteorderOp) == byteorderHton,
		Len: f.u32(byteorderLen), Size: f.u32(byteorderSize),
	}
}
