package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_EXTHDR_*; net/netfilter/nft_exthdr.c.
const (
	exthdrDreg   = 1
	exthdrType   = 2
	exthdrOffset = 3
	exthdrLen    = 4
	exthdrFlags  = 5
	exthdrOp     = 6

	exthdrPresent = 1 // NFT_EXTHDR_F_PRESENT
)

func (w *writer) exthdr(e program.Exthdr) {
	at := w.begin("exthdr")
	w.reg(exthdrDreg, e.Reg)
	w.u8(exthdrType, uint8(e.Type))
	w.u32(exthdrOffset, e.Offset)
	w.u32(exthdrLen, e.Len)
	w.u32(exthdrFlags, flag(e.Present, exthdrPresent))
	w.u32(exthdrOp, e.Op)
	w.done(at)
}

// tcpStrip writes what the kernel takes. What it dumps, dumpedStrip, it refuses:
// the rest of the attributes, all 0.
func (w *writer) tcpStrip(e program.TCPStrip) {
	at := w.begin("exthdr")
	w.u8(exthdrType, e.Kind)
	w.u32(exthdrOp, program.ExthdrTCPOpt)
	w.done(at)
}

func (w *writer) dumpedStrip(e program.TCPStrip) {
	at := w.begin("exthdr")
	w.u8(exthdrType, e.Kind)
	w.u32(exthdrOffset, 0)
	w.u32(exthdrLen, 0)
	w.u32(exthdrFlags, 0)
	w.u32(exthdrOp, program.ExthdrTCPOpt)
	w.done(at)
}

func decodeExthdr(f *fields) program.Expr {
	if f[exthdrDreg] == nil && f.u32(exthdrOp) == program.ExthdrTCPOpt {
		return program.TCPStrip{Kind: f.u8(exthdrType)}
	}
	return program.Exthdr{
		Op: f.u32(exthdrOp), Type: uint32(f.u8(exthdrType)), Offset: f.u32(exthdrOffset), Len: f.u32(exthdrLen),
		Present: f.u32(exthdrFlags) == exthdrPresent, Reg: f.reg(exthdrDreg),
	}
}

func decodeNotrack(f *fields) program.Expr { return program.Notrack{} }
