package xt

// Connlimit is struct xt_connlimit_info
// (include/uapi/linux/netfilter/xt_connlimit.h), revision 1.
type Connlimit struct {
	Mask  [16]byte // in IPv4 the first four
	Limit uint32
	Flags uint32
	Data  uint64 // the kernel's pointer; 0 where read
}

// The bits of Connlimit.Flags.
const (
	ConnlimitInvert = 1 << 0
	ConnlimitDest   = 1 << 1
)
