package xt

// PktType is struct xt_pkttype_info (include/uapi/linux/netfilter/xt_pkttype.h),
// revision 0.
type PktType struct {
	Type   int32 // PACKET_*, from 0
	Invert int32 // 1: any other
}
