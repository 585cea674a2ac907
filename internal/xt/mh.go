package xt

// MH is struct ip6t_mh (include/uapi/linux/netfilter_ipv6/ip6t_mh.h), revision 0.
type MH struct {
	Types  [2]uint8 // first and last
	Invert uint8    // 1: outside
}
