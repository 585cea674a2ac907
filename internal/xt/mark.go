package xt

// MarkTarget is struct xt_mark_tginfo2 (include/uapi/linux/netfilter/xt_mark.h),
// revision 2 of the target MARK.
type MarkTarget struct {
	Mark, Mask uint32
}

// Mark is struct xt_mark_mtinfo1 and struct xt_connmark_mtinfo1
// (include/uapi/linux/netfilter/xt_mark.h, xt_connmark.h), revision 1 of the
// matches mark and connmark.
type Mark struct {
	Mark, Mask uint32
	Invert     uint8
	_          [3]uint8
}
