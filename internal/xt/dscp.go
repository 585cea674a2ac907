package xt

// DSCP is struct xt_dscp_info (include/uapi/linux/netfilter/xt_dscp.h), revision
// 0 of the match.
type DSCP struct {
	DSCP   uint8
	Invert uint8
}
