package xt

// BPF is struct xt_bpf_info_v1 (include/uapi/linux/netfilter/xt_bpf.h), revision 1,
// with a program.
type BPF struct {
	Mode   uint16 // BPFBytecode
	Count  uint16 // how many of Program are used
	FD     int32
	Code   [64]BPFInstruction
	Filter uint64 // the kernel's pointer; 0 where read
}

// BPFInstruction is struct sock_filter (include/uapi/linux/filter.h).
type BPFInstruction struct {
	Code   uint16
	JT, JF uint8
	K      uint32
}

// BPFPath is the same struct with a path.
type BPFPath struct {
	Mode   uint16 // BPFPinned
	Count  uint16
	FD     int32     // the process's that made the rule
	Path   [512]byte // ends in a zero byte
	Filter uint64
}

// The values of BPF.Mode.
const (
	BPFBytecode = 0
	BPFPinned   = 1
)
