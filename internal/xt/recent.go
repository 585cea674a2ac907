package xt

// Recent is struct xt_recent_mtinfo_v1 (include/uapi/linux/netfilter/xt_recent.h),
// revision 1.
type Recent struct {
	Seconds  uint32
	HitCount uint32
	CheckSet uint8 // one of the first four constants, and any of the others
	Invert   uint8
	Name     [200]byte // ends in a zero byte
	Side     uint8     // 1: the destination's address
	_        uint8
	Mask     [16]byte // in IPv4 the first four
}

// The bits of Recent.CheckSet.
const (
	RecentCheck  = 1 << 0
	RecentSet    = 1 << 1
	RecentUpdate = 1 << 2
	RecentRemove = 1 << 3
	RecentTTL    = 1 << 4
	RecentReap   = 1 << 5
)
