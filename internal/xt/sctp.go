package xt

// SCTP is struct xt_sctp_info (include/uapi/linux/netfilter/xt_sctp.h), revision 0.
type SCTP struct {
	Dport, Sport [2]uint16  // first and last
	Chunks       [64]uint32 // a bit for each type in the first 8; the kernel's struct is that long
	Match        uint32     // SCTPAny, …
	ChunkFlags   [4]SCTPChunkFlags
	FlagCount    int32 // how many of ChunkFlags are used
	What         uint32
	Invert       uint32
}

// SCTPChunkFlags is struct xt_sctp_flag_info: the flags of one type of chunk.
type SCTPChunkFlags struct {
	Type      uint8 // SCTPUnused: not used
	Set, Mask uint8
}

// SCTPUnused is the type of an entry of SCTP.ChunkFlags that is not used.
const SCTPUnused = 0xff

// The bits of SCTP.What and SCTP.Invert.
const (
	SCTPSport  = 1 << 0
	SCTPDport  = 1 << 1
	SCTPChunks = 1 << 2
)

// The values of SCTP.Match.
const (
	SCTPAny  = 1
	SCTPAll  = 2
	SCTPOnly = 4
)
