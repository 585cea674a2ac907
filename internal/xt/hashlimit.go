package xt

// Hashlimit is struct xt_hashlimit_mtinfo3
// (include/uapi/linux/netfilter/xt_hashlimit.h), revision 3.
type Hashlimit struct {
	Name       [255]byte // ends in a zero byte
	_          uint8
	Avg        uint64 // what a packet costs, or 16 bytes do
	Burst      uint64
	Mode       uint32
	Size, Max  uint32
	GCInterval uint32 // in milliseconds
	Expire     uint32 // in milliseconds
	Interval   uint32 // in seconds
	SrcMask    uint8
	DstMask    uint8
	_          [6]byte
	Table      uint64 // the kernel's pointer; 0 where read
}

// The bits of Hashlimit.Mode.
const (
	HashlimitDstIP     = 1 << 0
	HashlimitDstPort   = 1 << 1
	HashlimitSrcIP     = 1 << 2
	HashlimitSrcPort   = 1 << 3
	HashlimitInvert    = 1 << 4
	HashlimitBytes     = 1 << 5
	HashlimitRateMatch = 1 << 6
)
