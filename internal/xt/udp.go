package xt

// UDP is struct xt_udp (include/uapi/linux/netfilter/xt_tcpudp.h), revision 0.
type UDP struct {
	Sport, Dport [2]uint16 // first and last port
	Invert       uint8
	_            uint8
}

// The bits of UDP.Invert.
const (
	UDPInvertSport = 1 << 0
	UDPInvertDport = 1 << 1
)
