package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_LOOKUP_*; net/netfilter/nft_lookup.c.
const (
	lookupSet   = 1
	lookupSreg  = 2
	lookupDreg  = 3
	lookupSetID = 4
	lookupFlags = 5

	lookupNot = 1 // NFT_LOOKUP_F_INV

	// anonymousName is the name that the kernel completes with a free number.
	anonymousName = "__set%d"
)

// lookup refers to a set by its name, or, a rule's own, by its number in the
// batch, which the caller has put into w.set.
func (w *writer) lookup(e program.Lookup) {
	at := w.begin("lookup")
	if e.Name == "" {
		w.str(lookupSet, anonymousName)
		w.u32(lookupSetID, w.set)
		w.set++
	} else {
		w.str(lookupSet, e.Name)
	}
	w.reg(lookupSreg, e.Reg)
	if e.Map {
		w.reg(lookupDreg, e.Dst)
	}
	flags := uint32(0)
	if e.Not {
		flags = lookupNot
	}
	w.u32(lookupFlags, flags)
	w.done(at)
}

func decodeLookup(f *fields) program.Expr {
	name := f.str(lookupSet)
	if name == "" || f[lookupSetID] != nil {
		return nil
	}
	return program.Lookup{
		Name: name, Reg: f.reg(lookupSreg),
		Map: f[lookupDreg] != nil, Dst: f.reg(lookupDreg), Not: f.u32(lookupFlags) == lookupNot,
	}
}
