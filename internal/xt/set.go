package xt

import "encoding/binary"

// NoIPSet is IPSET_INVALID_ID: no set. It is also what stands for a set whose
// name has no number yet.
const NoIPSet = 0xffff

// IPSet is struct xt_set_info (include/uapi/linux/netfilter/xt_set.h): a set, and
// which fields of a packet are looked up in it.
type IPSet struct {
	Index uint16
	Dim   uint8 // how many fields
	Flags uint8 // IPSetInvert, and bit n for the n-th field, from 1, that is the source's
}

// IPSetInvert is IPSET_INV_MATCH.
const IPSetInvert = 1

// IPSetCounter is struct ip_set_counter_match (ip_set.h).
type IPSetCounter struct {
	Value uint64 // aligned as a 64-bit word
	Op    uint8  // IPSetEqual, …
	_     [7]byte
}

// The comparisons of an IPSetCounter.
const (
	IPSetAny = iota
	IPSetEqual
	IPSetNotEqual
	IPSetLess
	IPSetGreater
)

// Set is struct xt_set_info_match_v4, the match set of revision 4.
type Set struct {
	Match   IPSet
	_       [4]byte
	Packets IPSetCounter
	Bytes   IPSetCounter
	Flags   uint32
	_       [4]byte
}

// The bits of Set.Flags.
const (
	IPSetSkipCounter    = 1 << 3
	IPSetSkipSubcounter = 1 << 4
	IPSetReturnNoMatch  = 1 << 7
)

// SetTarget is struct xt_set_info_target_v3, the target SET of revision 3.
type SetTarget struct {
	Add, Del, Map IPSet
	Flags         uint32
	Timeout       uint32 // seconds; NoIPSetTimeout: the set's own
}

// NoIPSetTimeout is IPSET_NO_TIMEOUT.
const NoIPSetTimeout = 0xffffffff

// The bits of SetTarget.Flags.
const (
	IPSetExist    = 1 << 0
	IPSetMapMark  = 1 << 8
	IPSetMapPrio  = 1 << 9
	IPSetMapQueue = 1 << 10
)

// ipSetFields are how many struct xt_set_info the struct of an extension begins
// with, by revision. Revision 0 has another struct, which nothing made since 2011.
var (
	setMatchFields  = [...]int{1: 1, 2: 1, 3: 1, 4: 1}
	setTargetFields = [...]int{1: 2, 2: 2, 3: 3}
)

// ipSetSize is the size of struct xt_set_info.
const ipSetSize = 4

// IPSetFields is how many ipsets an extension's struct may refer to; 0 for an
// extension that knows no ipsets.
func IPSetFields(name string, rev uint32, target bool) int {
	switch {
	case !target && name == "set" && int(rev) < len(setMatchFields):
		return setMatchFields[rev]
	case target && name == "SET" && int(rev) < len(setTargetFields):
		return setTargetFields[rev]
	}
	return 0
}

// IPSetIndex is the number of the i-th ipset that a struct refers to; NoIPSet for
// none, and where the struct is too short.
func IPSetIndex(info string, i int) uint16 {
	if len(info) < (i+1)*ipSetSize {
		return NoIPSet
	}
	return binary.NativeEndian.Uint16([]byte(info[i*ipSetSize:]))
}

// WithIPSetIndex is a struct with another number for its i-th ipset.
func WithIPSetIndex(info string, i int, index uint16) string {
	if len(info) < (i+1)*ipSetSize {
		return info
	}
	b := []byte(info)
	binary.NativeEndian.PutUint16(b[i*ipSetSize:], index)
	return string(b)
}
