package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// counter is NFTA_COUNTER_*; net/netfilter/nft_counter.c.
func (w *writer) counter(e program.Counter) {
	at := w.begin("counter")
	w.u64(counterBytes, e.Bytes)
	w.u64(counterPackets, e.Packets)
	w.done(at)
}

func decodeCounter(f *fields) program.Expr {
	return program.Counter{Packets: f.u64(counterPackets), Bytes: f.u64(counterBytes)}
}
