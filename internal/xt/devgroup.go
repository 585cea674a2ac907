package xt

// Devgroup is struct xt_devgroup_info
// (include/uapi/linux/netfilter/xt_devgroup.h), revision 0.
type Devgroup struct {
	Flags        uint32
	Src, SrcMask uint32
	Dst, DstMask uint32
}

// The bits of Devgroup.Flags.
const (
	DevgroupSrc       = 1 << 0
	DevgroupInvertSrc = 1 << 1
	DevgroupDst       = 1 << 2
	DevgroupInvertDst = 1 << 3
)
