package xt

// Statistic is struct xt_statistic_info (include/uapi/linux/netfilter/xt_statistic.h)
// in its nth mode, revision 0. The kernel does not return what it counts.
type Statistic struct {
	Mode   uint16 // StatisticNth
	Flags  uint16
	Every  uint32 // less one
	Packet uint32
	Count  uint32 // what the count starts with
	Master uint64 // the kernel's pointer; 0 where read
}

// Values of Statistic.Mode and the bit of Statistic.Flags.
const (
	StatisticNth    = 1
	StatisticInvert = 1
)
