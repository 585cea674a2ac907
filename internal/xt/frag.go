package xt

// Frag is struct ip6t_frag (include/uapi/linux/netfilter_ipv6/ip6t_frag.h),
// revision 0.
type Frag struct {
	ID     [2]uint32 // first and last
	Len    uint32    // which the kernel does not look at
	What   uint8
	Invert uint8
	_      [2]byte
}

// The bits of Frag.What; the first two are those of Invert too.
const (
	FragID       = 1 << 0
	FragLen      = 1 << 1
	FragReserved = 1 << 2
	FragFirst    = 1 << 3
	FragMore     = 1 << 4
	FragLast     = 1 << 5
)
