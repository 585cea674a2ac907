package xt

// Audit is struct xt_audit_info (include/uapi/linux/netfilter/xt_AUDIT.h), revision 0.
type Audit struct {
	Type uint8 // 0 accept, 1 drop, 2 reject
}
