package xt

// DCCP is struct xt_dccp_info (include/uapi/linux/netfilter/xt_dccp.h), revision 0.
type DCCP struct {
	Dport, Sport [2]uint16 // first and last
	What         uint16    // the bits below
	Invert       uint16    // those of them that are inverted
	Types        uint16    // a bit for each packet type
	Option       uint8
	_            uint8
}

// The bits of DCCP.What and DCCP.Invert.
const (
	DCCPSport  = 1 << 0
	DCCPDport  = 1 << 1
	DCCPTypes  = 1 << 2
	DCCPOption = 1 << 3
)
