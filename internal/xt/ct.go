package xt

// CT is struct xt_ct_target_info_v1 (include/uapi/linux/netfilter/xt_CT.h), which
// revisions 1 and 2 share.
type CT struct {
	Flags, Zone         uint16
	CTEvents, ExpEvents uint32
	Helper              [16]byte
	Timeout             [32]byte
	_                   [4]byte
	Conn                uint64 // the kernel's own pointer, 0 outside
}
