package xt

// Reject is struct ipt_reject_info and struct ip6t_reject_info
// (include/uapi/linux/netfilter_ipv4/ipt_REJECT.h, ../netfilter_ipv6/ip6t_REJECT.h),
// revision 0.
type Reject struct {
	With uint32 // IPT_ICMP_*, IP6T_ICMP6_*: each family numbers its own
}
