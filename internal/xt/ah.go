package xt

// AH is struct ipt_ah (include/uapi/linux/netfilter_ipv4/ipt_ah.h), revision 0
// for IPv4.
type AH struct {
	SPI    [2]uint32 // first and last
	Invert uint8
	_      [3]byte
}

// AH6 is struct ip6t_ah (include/uapi/linux/netfilter_ipv6/ip6t_ah.h), revision 0
// for IPv6.
type AH6 struct {
	SPI      [2]uint32 // first and last
	Len      uint32    // bytes; 0: any
	Reserved uint8     // 1: the reserved field must be 0
	Invert   uint8
	_        [2]byte
}

// The bits of AH.Invert and AH6.Invert.
const (
	AHInvertSPI = 1 << 0
	AHInvertLen = 1 << 1 // IPv6
)
