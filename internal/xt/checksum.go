package xt

// Checksum is struct xt_CHECKSUM_info (include/uapi/linux/netfilter/xt_CHECKSUM.h),
// revision 0.
type Checksum struct {
	Operation uint8 // ChecksumFill
}

// ChecksumFill is the one operation that there is.
const ChecksumFill = 1
