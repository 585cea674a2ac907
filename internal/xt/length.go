package xt

// Length is struct xt_length_info (include/uapi/linux/netfilter/xt_length.h), revision 0.
type Length struct {
	Min, Max uint16
	Invert   uint8 // 1: outside
	_        uint8
}
