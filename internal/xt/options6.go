package xt

// Options6 is struct ip6t_opts (include/uapi/linux/netfilter_ipv6/ip6t_opts.h),
// revision 0 of the matches dst and hbh.
type Options6 struct {
	Len    uint32 // bytes
	What   uint8  // the bits below
	Invert uint8
	Opts   [16]uint16 // type in the high byte, length in the low one
	Count  uint8      // how many of Opts are used
}

// The bits of Options6.What; OptionsLen is that of Invert too.
const (
	OptionsLen  = 1 << 0
	OptionsList = 1 << 1
)

// OptionsAnyLen is the low byte of an option of any length.
const OptionsAnyLen = 0xff
