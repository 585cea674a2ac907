package xt

import "encoding/binary"

// ECNTarget is struct ipt_ECN_info (include/uapi/linux/netfilter_ipv4/ipt_ECN.h),
// revision 0 of the target ECN.
type ECNTarget struct {
	Operation uint8 // what is set, the bits below
	IPECT     uint8 // 0 to 3
	TCP       uint8 // a C bit field: see SetTCP
	_         uint8 // the rest of the union with the bit field
}

// The bits of ECNTarget.Operation.
const (
	ECNSetIP  = 1 << 0
	ECNSetECE = 1 << 4
	ECNSetCWR = 1 << 5
)

// tcpBits are the bits of ECE and CWR: a compiler gives bit fields out from the
// end of the byte that the machine begins with.
func tcpBits() (ece, cwr uint8) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return 1 << 0, 1 << 1
	}
	return 1 << 7, 1 << 6
}

// SetTCP stores what the TCP header's ECE and CWR become.
func (e *ECNTarget) SetTCP(ece, cwr bool) {
	e.TCP = 0
	b, c := tcpBits()
	if ece {
		e.TCP |= b
	}
	if cwr {
		e.TCP |= c
	}
}

// GetTCP is SetTCP's inverse.
func (e ECNTarget) GetTCP() (ece, cwr bool) {
	b, c := tcpBits()
	return e.TCP&b != 0, e.TCP&c != 0
}
