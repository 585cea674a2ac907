package xt

// Multiport is struct xt_multiport_v1
// (include/uapi/linux/netfilter/xt_multiport.h), revision 1.
type Multiport struct {
	Which  uint8      // one of the constants below
	Count  uint8      // how many of Ports are used
	Ports  [15]uint16 // a range takes two
	Ranged [15]uint8  // 1: the port begins a range that the next one ends
	Invert uint8      // 1: no port of the list
}

// The values of Multiport.Which.
const (
	MultiportSource = 0
	MultiportDest   = 1
	MultiportEither = 2
)
