package xt

// SegmentSize is struct xt_tcpmss_match_info
// (include/uapi/linux/netfilter/xt_tcpmss.h), revision 0 of the match.
type SegmentSize struct {
	Min, Max uint16
	Invert   uint8
	_        uint8
}
