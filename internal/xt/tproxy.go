package xt

// TProxy is struct xt_tproxy_target_info_v1 (include/uapi/linux/netfilter/xt_TPROXY.h),
// revision 1. The address and port are in network order; an IPv4 address takes
// the first four bytes.
type TProxy struct {
	MarkMask  uint32
	MarkValue uint32
	Addr      [16]byte
	Port      [2]byte
}
