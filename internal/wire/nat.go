package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_NAT_*, NFTA_MASQ_* and NFTA_REDIR_*; net/netfilter/nft_nat.c, nft_masq.c,
// nft_redir.c. The kernel takes a first register without a last one and dumps
// the first for both, and it sets the two flags that say whether there is an
// address and whether there are ports. So both registers and these flags are
// sent; what was read has both registers, and its Flags are those that somebody
// chose.
const (
	natType     = 1
	natFamily   = 2
	natAddrMin  = 3
	natAddrMax  = 4
	natProtoMin = 5
	natProtoMax = 6
	natFlags    = 7

	natDest = 1 // NFT_NAT_DNAT

	rangeAddrs = 1 // NF_NAT_RANGE_MAP_IPS
	rangePorts = 2 // NF_NAT_RANGE_PROTO_SPECIFIED

	masqFlags    = 1
	masqProtoMin = 2
	masqProtoMax = 3

	redirProtoMin = 1
	redirProtoMax = 2
	redirFlags    = 3
)

// span writes a pair of registers.
func (w *writer) span(first, last uint16, lo, hi program.Reg) {
	if lo == 0 && hi == 0 {
		return
	}
	if hi == 0 {
		hi = lo
	}
	w.reg(first, lo)
	w.reg(last, hi)
}

// ranges is the flags with those that the kernel sets.
func ranges(flags uint32, addr, proto program.Reg) uint32 {
	return flags | flag(addr != 0, rangeAddrs) | flag(proto != 0, rangePorts)
}

// chosen is the flags without those that the kernel sets.
func chosen(flags uint32, addr, proto program.Reg) uint32 {
	return flags &^ (flag(addr != 0, rangeAddrs) | flag(proto != 0, rangePorts))
}

func (w *writer) nat(e program.NAT) {
	at := w.begin("nat")
	w.u32(natType, flag(e.Dest, natDest))
	w.u32(natFamily, uint32(e.Family))
	w.span(natAddrMin, natAddrMax, e.AddrMin, e.AddrMax)
	w.span(natProtoMin, natProtoMax, e.ProtoMin, e.ProtoMax)
	w.some(natFlags, ranges(e.Flags, e.AddrMin, e.ProtoMin))
	w.done(at)
}

func decodeNAT(f *fields) program.Expr {
	e := program.NAT{
		Dest: f.u32(natType) == natDest, Family: program.Family(f.u32(natFamily)),
		AddrMin: f.reg(natAddrMin), AddrMax: f.reg(natAddrMax),
		ProtoMin: f.reg(natProtoMin), ProtoMax: f.reg(natProtoMax),
	}
	e.Flags = chosen(f.u32(natFlags), e.AddrMin, e.ProtoMin)
	return e
}

func (w *writer) masq(e program.Masq) {
	at := w.begin("masq")
	w.some(masqFlags, ranges(e.Flags, 0, e.ProtoMin))
	w.span(masqProtoMin, masqProtoMax, e.ProtoMin, e.ProtoMax)
	w.done(at)
}

func decodeMasq(f *fields) program.Expr {
	e := program.Masq{ProtoMin: f.reg(masqProtoMin), ProtoMax: f.reg(masqProtoMax)}
	e.Flags = chosen(f.u32(masqFlags), 0, e.ProtoMin)
	return e
}

func (w *writer) redir(e program.Redir) {
	at := w.begin("redir")
	w.span(redirProtoMin, redirProtoMax, e.ProtoMin, e.ProtoMax)
	w.some(redirFlags, ranges(e.Flags, 0, e.ProtoMin))
	w.done(at)
}

func decodeRedir(f *fields) program.Expr {
	e := program.Redir{ProtoMin: f.reg(redirProtoMin), ProtoMax: f.reg(redirProtoMax)}
	e.Flags = chosen(f.u32(redirFlags), 0, e.ProtoMin)
	return e
}
