package xt

// ConnMark is struct xt_connmark_tginfo2 (include/uapi/linux/netfilter/xt_connmark.h),
// revision 2 of CONNMARK.
type ConnMark struct {
	CTMark, CTMask, NFMask uint32
	ShiftDir               uint8 // 0 left, 1 right
	ShiftBits              uint8
	Mode                   uint8 // 0 set, 1 save, 2 restore
}
