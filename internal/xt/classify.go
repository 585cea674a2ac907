package xt

// Classify is struct xt_classify_target_info
// (include/uapi/linux/netfilter/xt_CLASSIFY.h), revision 0.
type Classify struct {
	Priority uint32 // major in the upper half, minor in the lower
}
