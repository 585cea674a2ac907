package xt

// TCPOptStrip is struct xt_tcpoptstrip_target_info
// (include/uapi/linux/netfilter/xt_TCPOPTSTRIP.h), revision 0.
type TCPOptStrip struct {
	Bits [8]uint32 // bit n%32 of word n/32 is option n
}
