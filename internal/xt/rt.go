package xt

// RT is struct ip6t_rt (include/uapi/linux/netfilter_ipv6/ip6t_rt.h), revision 0.
type RT struct {
	Type     uint32
	SegsLeft [2]uint32 // first and last
	Len      uint32    // bytes
	What     uint8
	Invert   uint8
	_        [2]byte
	Addrs    [16][16]byte
	Count    uint8 // how many of Addrs are used
	_        [3]byte
}

// The bits of RT.What; the first three are those of Invert too.
const (
	RTType      = 1 << 0
	RTSegsLeft  = 1 << 1
	RTLen       = 1 << 2
	RTReserved  = 1 << 3
	RTAddrs     = 1 << 4
	RTNotStrict = 1 << 5
)
