package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_CT_*; net/netfilter/nft_ct.c.
const (
	ctDreg      = 1
	ctKey       = 2
	ctDirection = 3
	ctSreg      = 4
)

func (w *writer) ct(e program.CT) {
	at := w.begin("ct")
	w.reg(ctDreg, e.Reg)
	w.u32(ctKey, uint32(e.Key))
	w.direction(e.Dir)
	w.done(at)
}

func (w *writer) ctSet(e program.CTSet) {
	at := w.begin("ct")
	w.reg(ctSreg, e.Reg)
	w.u32(ctKey, uint32(e.Key))
	w.direction(e.Dir)
	w.done(at)
}

// direction writes IP_CT_DIR_*, one less than ours, where the key has one.
func (w *writer) direction(d program.Dir) {
	if d != program.NoDir {
		w.u8(ctDirection, uint8(d)-1)
	}
}

func decodeCT(f *fields) program.Expr {
	key, dir := program.CTKey(f.u32(ctKey)), program.NoDir
	if f[ctDirection] != nil {
		dir = program.Dir(f.u8(ctDirection)) + 1
	}
	if f[ctSreg] != nil {
		return program.CTSet{Key: key, Dir: dir, Reg: f.reg(ctSreg)}
	}
	return program.CT{Key: key, Dir: dir, Reg: f.reg(ctDreg)}
}
