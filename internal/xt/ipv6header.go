package xt

// IPv6Header is struct ip6t_ipv6header_info
// (include/uapi/linux/netfilter_ipv6/ip6t_ipv6header.h), revision 0.
type IPv6Header struct {
	Headers uint8 // one bit for each
	Invert  uint8 // IPv6HeaderInvert or 0
	Soft    uint8 // IPv6HeaderSoft or 0
}

// What ip6tables sends for "!" and for --soft.
const (
	IPv6HeaderInvert = 0xff
	IPv6HeaderSoft   = 0xff
)
