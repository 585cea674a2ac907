package xt

// SecMark is struct xt_secmark_target_info_v1 (include/uapi/linux/netfilter/xt_SECMARK.h),
// revision 1.
type SecMark struct {
	Mode    uint8     // SecMarkSEL
	Context [256]byte // ends in a zero byte
	_       [3]byte
	ID      uint32 // the kernel's own
}

// SecMarkSEL is SECMARK_MODE_SEL.
const SecMarkSEL = 1
