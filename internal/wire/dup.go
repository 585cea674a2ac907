package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_DUP_*; net/ipv4/netfilter/nft_dup_ipv4.c, net/ipv6/netfilter/nft_dup_ipv6.c.
const (
	dupAddr = 1
	dupDev  = 2
)

func (w *writer) dup(e program.Dup) {
	at := w.begin("dup")
	if e.Addr != 0 {
		w.reg(dupAddr, e.Addr)
	}
	if e.Dev != 0 {
		w.reg(dupDev, e.Dev)
	}
	w.done(at)
}

func decodeDup(f *fields) program.Expr {
	return program.Dup{Addr: f.reg(dupAddr), Dev: f.reg(dupDev)}
}
