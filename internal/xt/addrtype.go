package xt

// AddrType is struct xt_addrtype_info_v1 (include/uapi/linux/netfilter/xt_addrtype.h),
// the match's revision 1.
type AddrType struct {
	Source, Dest uint16 // bits by RTN_*; 0: not looked at
	Flags        uint32
}

// The bits of AddrType.Flags.
const (
	AddrTypeInvertSource = 1 << 0
	AddrTypeInvertDest   = 1 << 1
	AddrTypeLimitIn      = 1 << 2
	AddrTypeLimitOut     = 1 << 3
)
