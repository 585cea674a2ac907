package xt

// DSCPTarget is struct xt_DSCP_info (include/uapi/linux/netfilter/xt_DSCP.h),
// revision 0 of the target DSCP.
type DSCPTarget struct {
	DSCP uint8 // 0 to 63
}

// TOSTarget is struct xt_tos_target_info (include/uapi/linux/netfilter/xt_DSCP.h),
// revision 1 of the target TOS: tos &^ Mask ^ Value.
type TOSTarget struct {
	Value, Mask uint8
}
