package xt

// ESP is struct xt_esp (include/uapi/linux/netfilter/xt_esp.h), revision 0.
type ESP struct {
	SPI    [2]uint32 // first and last
	Invert uint8     // 1: outside
	_      [3]byte
}
