package xt

// NATRange2 is struct nf_nat_range2 (include/uapi/linux/netfilter/nf_nat.h),
// what DNAT and SNAT of revision 2 hold. Addresses and ports are in network order.
type NATRange2 struct {
	Flags    uint32   // NF_NAT_RANGE_*
	MinAddr  [16]byte // an IPv4 address takes the first 4
	MaxAddr  [16]byte
	MinPort  [2]byte
	MaxPort  [2]byte
	BasePort [2]byte
}
