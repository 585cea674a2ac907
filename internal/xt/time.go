package xt

// Time is struct xt_time_info (include/uapi/linux/netfilter/xt_time.h), revision 0.
type Time struct {
	DateStart, DateStop       uint32 // seconds since 1970
	DaytimeStart, DaytimeStop uint32 // seconds since midnight
	Monthdays                 uint32 // bit n is day n
	Weekdays                  uint8  // bit 1 is Monday, bit 7 Sunday
	Flags                     uint8
}

// The bits of Time.Flags.
const (
	TimeKernelZone = 1 << 0 // XT_TIME_LOCAL_TZ
	TimeContiguous = 1 << 1
)
