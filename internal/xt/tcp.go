package xt

// TCP is struct xt_tcp (include/uapi/linux/netfilter/xt_tcpudp.h), revision 0.
type TCP struct {
	Sport, Dport [2]uint16 // first and last port
	Option       uint8     // 0: not looked for
	FlagsMask    uint8
	FlagsSet     uint8
	Invert       uint8
}

// The bits of TCP.Invert.
const (
	TCPInvertSport  = 1 << 0
	TCPInvertDport  = 1 << 1
	TCPInvertFlags  = 1 << 2
	TCPInvertOption = 1 << 3
)
