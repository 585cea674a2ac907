package xt

// IdleTimer is struct idletimer_tg_info_v1 (include/uapi/linux/netfilter/xt_IDLETIMER.h),
// revision 1.
type IdleTimer struct {
	Timeout   uint32 // seconds
	Label     [28]byte
	SendNLMsg uint8 // for a kernel of Android's
	Alarm     uint8
	_         [6]byte
	Timer     uint64 // the kernel's own
}
