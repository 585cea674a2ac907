package xt

// Owner is struct xt_owner_match_info (include/uapi/linux/netfilter/xt_owner.h),
// the match's revision 1.
type Owner struct {
	UID, GID      [2]uint32 // first and last
	Match, Invert uint8
}

// The bits of Owner.Match and Owner.Invert.
const (
	OwnerUID         = 1 << 0
	OwnerGID         = 1 << 1
	OwnerSocket      = 1 << 2
	OwnerSupplGroups = 1 << 3
)
