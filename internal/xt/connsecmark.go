package xt

// ConnSecMark is struct xt_connsecmark_target_info
// (include/uapi/linux/netfilter/xt_CONNSECMARK.h), revision 0.
type ConnSecMark struct {
	Mode uint8 // 1: save, 2: restore
}
