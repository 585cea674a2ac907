package xt

// ECN is struct xt_ecn_info (include/uapi/linux/netfilter/xt_ecn.h), revision 0.
type ECN struct {
	What   uint8 // the bits below
	Invert uint8 // those of them that are inverted
	ECT    uint8 // 0 to 3
	_      uint8
}

// The bits of ECN.What and ECN.Invert.
const (
	ECNIP  = 0x01
	ECNECE = 0x10
	ECNCWR = 0x20
)
