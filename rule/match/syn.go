package match

// WantsSYN says whether a match is for TCP packets with the SYN flag, --syn or
// --tcp-flags that want it. TCPMSS asks, as xt_TCPMSS.c does of xt_tcp.
func WantsSYN(m Match) bool {
	tcp, ok := m.(TCP)
	f, not, given := tcp.Flags.Get()
	return ok && given && !not && f.set()&(SYN.set()) != 0
}
