package wire

import "github.com/gatehouse-fw/gatehouse/internal/program"

// What is asked of the kernel's other subsystems of netfilter.
const (
	subsysHook = 12
	hookGet    = subsysHook << 8
	hookNumber = 1

	ipsetType     = subsysIPSet<<8 | 13
	ipsetTypeName = 3

	ipsetOldest = 6 // the protocol that has this question, of Linux 3.2
)

// Attr is one netlink attribute.
type Attr struct {
	Type  uint16
	Value string // numbers most significant byte first
}

// Attrs are attributes in a row, as program.Raw and program.Set have them.
func Attrs(list ...Attr) string {
	var w writer
	for _, a := range list {
		w.bytes(a.Type, a.Value)
	}
	return string(w.b)
}

// AskIPSetType asks whether the kernel has a type of ipset, "hash:ip"; the answer
// is its revisions, or an error.
func AskIPSetType(seq uint32, f program.Family, name string) []byte {
	return request(ipsetType, 0, seq, f, func(w *writer) {
		w.u8(ipsetProtocol, ipsetOldest)
		w.str(ipsetTypeName, name)
		w.u8(ipsetFamily, uint8(f))
	})
}

// DumpHooks asks for everything that is attached to a hook of a family.
func DumpHooks(seq uint32, f program.Family, hook uint32) []byte {
	return request(hookGet, flagDump, seq, f, func(w *writer) { w.u32(hookNumber, hook) })
}
