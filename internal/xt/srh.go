package xt

// SRH is struct ip6t_srh1 (include/uapi/linux/netfilter_ipv6/ip6t_srh.h),
// revision 1.
type SRH struct {
	NextHeader, Len, SegsLeft, LastEntry uint8

	Tag    uint16
	_      [2]byte
	SIDs   [3][16]byte // the previous, the next and the last one
	Masks  [3][16]byte
	What   uint16
	Invert uint16
}

// The bits of SRH.What and SRH.Invert. Of each EQ, the next two are GT and LT;
// SRHPrevious is followed by those of the next and the last.
const (
	SRHNextHeader = 1 << 0
	SRHLen        = 1 << 1
	SRHSegsLeft   = 1 << 4
	SRHLastEntry  = 1 << 7
	SRHTag        = 1 << 10
	SRHPrevious   = 1 << 11
)
