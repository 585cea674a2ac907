package xt

// Conntrack is struct xt_conntrack_mtinfo3 (include/uapi/linux/netfilter/xt_conntrack.h),
// the match's revision 3. An IPv4 address takes the first four bytes of its field.
type Conntrack struct {
	OrigSource, OrigSourceMask   [16]byte
	OrigDest, OrigDestMask       [16]byte
	ReplySource, ReplySourceMask [16]byte
	ReplyDest, ReplyDestMask     [16]byte
	Expire                       [2]uint32 // first and last second
	Proto                        uint16
	First                        [4]uint16 // ports: original source and destination, reply source and destination
	Match                        uint16    // which fields are compared
	Invert                       uint16    // which of them are inverted
	State                        uint16
	Status                       uint16
	Last                         [4]uint16 // ports, in the order of First
}

// The bits of Conntrack.Match and Conntrack.Invert.
const (
	ConntrackState       = 1 << 0
	ConntrackProto       = 1 << 1
	ConntrackOrigSource  = 1 << 2
	ConntrackOrigDest    = 1 << 3
	ConntrackReplySource = 1 << 4
	ConntrackReplyDest   = 1 << 5
	ConntrackStatus      = 1 << 6
	ConntrackExpire      = 1 << 7
	ConntrackPorts       = 1 << 8 // the first of four, in the order of Conntrack.First
	ConntrackDirection   = 1 << 12
	ConntrackStateAlias  = 1 << 13 // spelled as -m state; the kernel ignores it
)

// The bits of Conntrack.State that are not those of the kernel's ct state.
const (
	ConntrackSNAT      = 1 << 6
	ConntrackDNAT      = 1 << 7
	ConntrackUntracked = 1 << 8
)
