package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_CMP_* and NFTA_RANGE_*; net/netfilter/nft_cmp.c, nft_range.c.
const (
	cmpSreg = 1
	cmpOp   = 2
	cmpData = 3

	rangeSreg = 1
	rangeOp   = 2
	rangeFrom = 3
	rangeTo   = 4

	rangeOutside = 1 // NFT_RANGE_NEQ
)

func (w *writer) cmp(e program.Cmp) {
	at := w.begin("cmp")
	w.reg(cmpSreg, e.Reg)
	w.u32(cmpOp, uint32(e.Op))
	w.value(cmpData, e.Value)
	w.done(at)
}

func decodeCmp(f *fields) program.Expr {
	return program.Cmp{Op: program.CmpOp(f.u32(cmpOp)), Reg: f.reg(cmpSreg), Value: f.value(cmpData)}
}

func (w *writer) rangeExpr(e program.Range) {
	at := w.begin("range")
	w.reg(rangeSreg, e.Reg)
	op := uint32(0)
	if e.Not {
		op = rangeOutside
	}
	w.u32(rangeOp, op)
	w.value(rangeFrom, e.Lo)
	w.value(rangeTo, e.Hi)
	w.done(at)
}

func decodeRange(f *fields) program.Expr {
	return program.Range{
		Not: f.u32(rangeOp) == rangeOutside, Reg: f.reg(rangeSreg),
		Lo: f.value(rangeFrom), Hi: f.value(rangeTo),
	}
}
