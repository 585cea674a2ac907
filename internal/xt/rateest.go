package xt

// RateEstimator is struct xt_rateest_target_info
// (include/uapi/linux/netfilter/xt_RATEEST.h), revision 0.
type RateEstimator struct {
	Name     [16]byte
	Interval int8  // 250 ms times two to the power of Interval + 2
	EWMALog  uint8 // the average is over two to this power of intervals
	_        [6]byte
	Est      uint64 // the kernel's own
}

// RateEst is struct xt_rateest_match_info (xt_rateest.h), revision 0.
type RateEst struct {
	Name1, Name2 [16]byte
	Flags        uint16
	Mode         uint16
	BPS1, PPS1   uint32 // bytes and packets a second
	BPS2, PPS2   uint32
	_            [4]byte
	Est1, Est2   uint64 // the kernel's own
}

// The bits of RateEst.Flags.
const (
	RateEstInvert   = 1 << 0
	RateEstAbsolute = 1 << 1
	RateEstRelative = 1 << 2
	RateEstDelta    = 1 << 3
	RateEstBPS      = 1 << 4
	RateEstPPS      = 1 << 5
)
