package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_REJECT_*; net/netfilter/nft_reject.c.
const (
	rejectType = 1
	rejectCode = 2

	rejectTCPReset = 1 // NFT_REJECT_TCP_RST, which has no code
)

func (w *writer) reject(e program.Reject) {
	at := w.begin("reject")
	w.u32(rejectType, e.Type)
	if e.Type != rejectTCPReset || e.Code != 0 {
		w.u8(rejectCode, e.Code)
	}
	w.done(at)
}

func decodeReject(f *fields) program.Expr {
	return program.Reject{Type: f.u32(rejectType), Code: f.u8(rejectCode)}
}
