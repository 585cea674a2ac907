package xt

// Log is struct xt_log_info (include/uapi/linux/netfilter/xt_LOG.h), revision 0.
type Log struct {
	Level  uint8
	Flags  uint8
	Prefix [30]byte // ends in a zero byte
}
