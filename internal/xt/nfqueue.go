package xt

// NFQueue is struct xt_NFQ_info_v3 (include/uapi/linux/netfilter/xt_NFQUEUE.h), revision 3.
type NFQueue struct {
	Queue uint16 // the first
	Total uint16 // how many
	Flags uint16
}

// The bits of NFQueue.Flags.
const (
	NFQueueBypass = 1 << 0
	NFQueueFanout = 1 << 1
)
