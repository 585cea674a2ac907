package xt

// ICMP is struct ipt_icmp and struct ip6t_icmp
// (include/uapi/linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h),
// revision 0 of the matches icmp and icmp6.
type ICMP struct {
	Type   uint8    // icmp: 255 is any
	Code   [2]uint8 // first and last
	Invert uint8    // ICMPInvert or 0
}

// ICMPInvert is the bit of ICMP.Invert.
const ICMPInvert = 1
