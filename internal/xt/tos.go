package xt

// TOS is struct xt_tos_match_info (include/uapi/linux/netfilter/xt_dscp.h),
// revision 1 of the match.
type TOS struct{ Mask, Value, Invert uint8 }
