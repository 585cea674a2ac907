package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_META_*; net/netfilter/nft_meta.c.
const (
	metaDreg = 1
	metaKey  = 2
	metaSreg = 3
)

func (w *writer) meta(e program.Meta) {
	at := w.begin("meta")
	w.u32(metaKey, uint32(e.Key))
	w.reg(metaDreg, e.Reg)
	w.done(at)
}

func (w *writer) metaSet(e program.MetaSet) {
	at := w.begin("meta")
	w.u32(metaKey, uint32(e.Key))
	w.reg(metaSreg, e.Reg)
	w.done(at)
}

func decodeMeta(f *fields) program.Expr {
	key := program.MetaKey(f.u32(metaKey))
	if f[metaSreg] != nil {
		return program.MetaSet{Key: key, Reg: f.reg(metaSreg)}
	}
	return program.Meta{Key: key, Reg: f.reg(metaDreg)}
}
