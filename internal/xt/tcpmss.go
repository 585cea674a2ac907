package xt

// TCPMSS is struct xt_tcpmss_info (include/uapi/linux/netfilter/xt_TCPMSS.h),
// revision 0 of the target.
type TCPMSS struct{ MSS uint16 }
