package xt

// HMark is struct xt_hmark_info (include/uapi/linux/netfilter/xt_HMARK.h), revision 0.
// Masks of addresses, ports and SPIs are in network order; an IPv4 mask takes the
// first four bytes.
type HMark struct {
	SourceMask, DestMask [16]byte
	PortMask, PortSet    [4]byte // source and destination port, or an SPI
	Flags                uint32
	ProtoMask            uint16
	_                    [2]byte
	Rnd                  uint32
	Modulus              uint32
	Offset               uint32
}

// The bits of HMark.Flags.
const (
	HMarkSource = 1 << iota
	HMarkDest
	HMarkSPI
	HMarkSPIMask
	HMarkSport
	HMarkDport
	HMarkSportMask
	HMarkDportMask
	HMarkProtoMask
	HMarkRnd
	HMarkModulus
	HMarkOffset
	HMarkCT
)
