package xt

// IPRange is struct xt_iprange_mtinfo (include/uapi/linux/netfilter/xt_iprange.h),
// revision 1. An IPv4 address takes the first four bytes of its field.
type IPRange struct {
	SourceMin, SourceMax [16]byte
	DestMin, DestMax     [16]byte
	Flags                uint8
	_                    [3]uint8
}

// The bits of IPRange.Flags.
const (
	IPRangeSource       = 1 << 0
	IPRangeDest         = 1 << 1
	IPRangeInvertSource = 1 << 4
	IPRangeInvertDest   = 1 << 5
)
