package xt

// IPComp is struct xt_ipcomp (include/uapi/linux/netfilter/xt_ipcomp.h), revision 0.
type IPComp struct {
	CPI      [2]uint32 // first and last
	Invert   uint8     // 1: outside
	Reserved uint8     // --compres, which the kernel does not look at
	_        [2]byte
}
