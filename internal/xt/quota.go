package xt

// Quota is struct xt_quota_info (include/uapi/linux/netfilter/xt_quota.h), revision 0.
type Quota struct {
	Flags  uint32
	_      uint32
	Quota  uint64
	Master uint64 // the kernel's pointer; 0 where read
}

// QuotaInvert is the bit of Quota.Flags.
const QuotaInvert = 1
