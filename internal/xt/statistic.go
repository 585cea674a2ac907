package xt

// Statistic is struct xt_statistic_info (include/uapi/linux/netfilter/xt_statistic.h),
// revision 0. The kernel does not return what it counts.
type Statistic struct {
	Mode   uint16 // StatisticRandom or StatisticNth
	Flags  uint16
	Every  uint32 // less one; of StatisticRandom the probability times 2³¹
	Packet uint32
	Count  uint32 // what the count starts with
	Master uint64 // the kernel's pointer; 0 where read
}

// Values of Statistic.Mode and the bit of Statistic.Flags.
const (
	StatisticRandom = 0
	StatisticNth    = 1
	StatisticInvert = 1
)
