package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_IMMEDIATE_*; net/netfilter/nft_immediate.c.
const (
	immediateDreg = 1
	immediateData = 2
)

func (w *writer) immediate(e program.Immediate) {
	at := w.begin("immediate")
	w.reg(immediateDreg, e.Reg)
	w.value(immediateData, e.Value)
	w.done(at)
}

func (w *writer) verdictExpr(e program.Verdict) {
	at := w.begin("immediate")
	w.reg(immediateDreg, 0)
	w.verdict(immediateData, e)
	w.done(at)
}

// verdict writes {NFTA_DATA_VERDICT {code, chain}}.
func (w *writer) verdict(typ uint16, e program.Verdict) {
	data := w.open(typ)
	v := w.open(dataVerdict)
	w.u32(verdictCode, uint32(e.Kind))
	if e.Chain != "" {
		w.str(verdictChain, e.Chain)
	}
	w.done(v)
	w.done(data)
}

func decodeImmediate(f *fields) program.Expr {
	if f.reg(immediateDreg) != 0 {
		return program.Immediate{Reg: f.reg(immediateDreg), Value: f.value(immediateData)}
	}
	v, ok := decodeVerdict(f[immediateData])
	if !ok {
		return nil
	}
	return v
}

func decodeVerdict(data []byte) (program.Verdict, bool) {
	a := attrs(data)
	typ, val, _, ok := a.next()
	var f fields
	if !ok || typ != dataVerdict || !f.parse(val) {
		return program.Verdict{}, false
	}
	return program.Verdict{Kind: program.VerdictKind(f.u32(verdictCode)), Chain: f.str(verdictChain)}, true
}
