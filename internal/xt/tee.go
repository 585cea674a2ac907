package xt

// Tee is struct xt_tee_tginfo (include/uapi/linux/netfilter/xt_TEE.h), revision 1.
type Tee struct {
	Gateway [16]byte // an IPv4 address takes the first 4
	Device  [16]byte // ends in a zero byte
	Private uint64   // the kernel's own pointer, 0 outside
}
