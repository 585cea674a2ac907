package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_MATCH_* and NFTA_TARGET_*, which are the same; net/netfilter/nft_compat.c.
const (
	xtName = 1
	xtRev  = 2
	xtInfo = 3
)

// xt writes a match or target; info is the struct as the machine lays it out.
func (w *writer) xt(kind, name string, rev uint32, info string) {
	at := w.begin(kind)
	w.str(xtName, name)
	w.u32(xtRev, rev)
	w.bytes(xtInfo, info)
	w.done(at)
}

func decodeMatch(f *fields) program.Expr {
	return program.XTMatch{Name: f.str(xtName), Rev: f.u32(xtRev), Info: string(f[xtInfo])}
}

func decodeTarget(f *fields) program.Expr {
	return program.XTTarget{Name: f.str(xtName), Rev: f.u32(xtRev), Info: string(f[xtInfo])}
}

// raw writes an expression as it was read.
func (w *writer) raw(e program.Raw) {
	w.str(exprName, e.Name)
	if e.Data != "" {
		w.bytes(exprData|nested, e.Data)
	}
}
