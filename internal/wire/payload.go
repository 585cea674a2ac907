package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_PAYLOAD_*; net/netfilter/nft_payload.c.
const (
	payloadDreg       = 1
	payloadBase       = 2
	payloadOffset     = 3
	payloadLen        = 4
	payloadSreg       = 5
	payloadCsumType   = 6
	payloadCsumOffset = 7
	payloadCsumFlags  = 8
)

func (w *writer) payload(e program.Payload) {
	at := w.begin("payload")
	w.reg(payloadDreg, e.Reg)
	w.u32(payloadBase, uint32(e.Base))
	w.u32(payloadOffset, e.Offset)
	w.u32(payloadLen, e.Len)
	w.done(at)
}

func (w *writer) payloadSet(e program.PayloadSet) {
	at := w.begin("payload")
	w.reg(payloadSreg, e.Reg)
	w.u32(payloadBase, uint32(e.Base))
	w.u32(payloadOffset, e.Offset)
	w.u32(payloadLen, e.Len)
	w.u32(payloadCsumType, e.CsumType)
	w.u32(payloadCsumOffset, e.CsumOffset)
	w.u32(payloadCsumFlags, e.CsumFlags)
	w.done(at)
}

func decodePayload(f *fields) program.Expr {
	base, offset, n := program.Base(f.u32(payloadBase)), f.u32(payloadOffset), f.u32(payloadLen)
	if f[payloadSreg] == nil {
		return program.Payload{Base: base, Offset: offset, Len: n, Reg: f.reg(payloadDreg)}
	}
	return program.PayloadSet{
		Base: base, Offset: offset, Len: n, Reg: f.reg(payloadSreg),
		CsumType: f.u32(payloadCsumType), CsumOffset: f.u32(payloadCsumOffset), CsumFlags: f.u32(payloadCsumFlags),
	}
}
