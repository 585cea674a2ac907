package xt

// RPFilter is struct xt_rpfilter_info
// (include/uapi/linux/netfilter/xt_rpfilter.h), revision 0.
type RPFilter struct{ Flags uint8 }

// The bits of RPFilter.Flags.
const (
	RPFilterLoose       = 1 << 0
	RPFilterValidMark   = 1 << 1
	RPFilterAcceptLocal = 1 << 2
	RPFilterInvert      = 1 << 3
)
