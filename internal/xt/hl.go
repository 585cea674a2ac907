package xt

// HL is struct ipt_ttl_info and struct ip6t_hl_info
// (include/uapi/linux/netfilter_ipv4/ipt_ttl.h, netfilter_ipv6/ip6t_hl.h),
// revision 0 of the matches ttl and hl.
type HL struct{ Mode, Hops uint8 }

// The values of HL.Mode.
const (
	HLEq = 0
	HLNe = 1
	HLLt = 2
	HLGt = 3
)
