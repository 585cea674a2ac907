package xt

// TTLTarget is struct ipt_TTL_info and struct ip6t_HL_info
// (include/uapi/linux/netfilter_ipv4/ipt_TTL.h, ../netfilter_ipv6/ip6t_HL.h),
// revision 0 of the targets TTL and HL.
type TTLTarget struct {
	Mode  uint8 // 0 set, 1 increment, 2 decrement
	Value uint8
}
