package wire

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// NFTA_MATCH_* and NFTA_TARGET_*, which are the same; net/netfilter/nft_compat.c.
const (
	xtName = 1
	xtRev  = 2
	xtInfo = 3
)

// xt writes a match or target. One whose ipsets still have names only has no
// bytes: a driver puts their numbers in before.
func (w *writer) xt(kind string, e program.XTMatch) {
	if e.IPSets != "" {
		w.err = fmt.Errorf("%v: what number an ipset has is not known here", e)
	}
	at := w.begin(kind)
	w.str(xtName, e.Name)
	w.u32(xtRev, e.Rev)
	w.bytes(xtInfo, e.Info)
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
