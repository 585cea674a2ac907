package xt

// MAC is struct xt_mac_info (include/uapi/linux/netfilter/xt_mac.h), revision 0.
type MAC struct {
	Source [6]byte
	_      [2]byte
	Invert int32 // 1: any other
}
