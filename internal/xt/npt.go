package xt

// NPT is struct ip6t_npt_tginfo (include/uapi/linux/netfilter_ipv6/ip6t_NPT.h), what
// SNPT and DNPT hold, revision 0.
type NPT struct {
	Source, Dest       [16]byte
	SourceLen, DestLen uint8
	Adjustment         uint16 // the kernel's own
}
