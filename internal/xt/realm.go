package xt

// Realm is struct xt_realm_info (include/uapi/linux/netfilter/xt_realm.h),
// revision 0.
type Realm struct {
	ID, Mask uint32
	Invert   uint8
	_        [3]byte
}
