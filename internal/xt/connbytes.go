package xt

// Connbytes is struct xt_connbytes_info
// (include/uapi/linux/netfilter/xt_connbytes.h), revision 0.
type Connbytes struct {
	From, To  uint64 // inverted where From is the larger
	What      uint8
	Direction uint8
}

// The values of Connbytes.What and Connbytes.Direction.
const (
	ConnbytesPackets = 0
	ConnbytesBytes   = 1
	ConnbytesAverage = 2

	ConnbytesOriginal = 0
	ConnbytesReply    = 1
	ConnbytesBoth     = 2
)
