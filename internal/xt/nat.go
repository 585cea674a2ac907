package xt

// NATRange2 is struct nf_nat_range2 (include/uapi/linux/netfilter/nf_nat.h),
// what DNAT of revision 2 holds. Addresses and ports are in network order.
type NATRange2 struct {
	Flags    uint32   // NF_NAT_RANGE_*
	MinAddr  [16]byte // an IPv4 address takes the first 4
	MaxAddr  [16]byte
	MinPort  [2]byte
	MaxPort  [2]byte
	BasePort [2]byte
}

// NATRange is struct nf_nat_range, what SNAT of revision 1 and ip6tables'
// MASQUERADE, NETMAP and REDIRECT of revision 0 hold.
type NATRange struct {
	Flags   uint32
	MinAddr [16]byte
	MaxAddr [16]byte
	MinPort [2]byte
	MaxPort [2]byte
}

// NATRange4 is struct nf_nat_ipv4_multi_range_compat with the one range that it
// can hold, what iptables' MASQUERADE, NETMAP, REDIRECT and SNAT of revision 0 hold.
type NATRange4 struct {
	Ranges  uint32 // 1
	Flags   uint32
	MinAddr [4]byte
	MaxAddr [4]byte
	MinPort [2]byte
	MaxPort [2]byte
}
