package xt

// Search is struct xt_string_info (include/uapi/linux/netfilter/xt_string.h),
// revision 1 of the match string.
type Search struct {
	From, To uint16
	Algo     [16]byte // ends in a zero byte
	Pattern  [128]byte
	Len      uint8 // of the pattern
	Flags    uint8
	_        [2]byte
	Config   uint64 // the kernel's pointer; 0 where read
}

// The bits of Search.Flags.
const (
	SearchInvert     = 1 << 0
	SearchIgnoreCase = 1 << 1
)
