package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// NFTA_FIB_*; net/netfilter/nft_fib.c.
const (
	fibDreg   = 1
	fibResult = 2
	fibFlags  = 3
)

func (w *writer) fib(e program.Fib) {
	at := w.begin("fib")
	w.reg(fibDreg, e.Reg)
	w.u32(fibResult, e.Result)
	w.u32(fibFlags, e.Flags)
	w.done(at)
}

func decodeFib(f *fields) program.Expr {
	return program.Fib{Result: f.u32(fibResult), Flags: f.u32(fibFlags), Reg: f.reg(fibDreg)}
}
