package match

import "github.com/gatehouse-fw/gatehouse/internal/program"

// Header lengths that xt matches want to see whole before they look at a field.
const (
	wholeTCP   = 20 // struct tcphdr
	wholeUDP   = 8  // struct udphdr
	wholeICMP  = 8  // struct icmphdr
	wholePorts = 4  // multiport: the two ports
)

// whole is the guard of every native look at a transport header: the packet is
// not a later fragment and has at least n bytes of that header. A load of one,
// two or four bytes takes nf_tables' fast path, which looks at neither; a load
// of three does not. What it is compared with does not matter, only that nft
// prints it and loads it again: "@th,136,24 >= 0x0".
func whole(n uint32) program.Test {
	return program.Test{
		Load: program.Payload{Base: program.Transport, Offset: n - 3, Len: 3},
		Op:   program.IsGe, A: program.Bytes(0, 0, 0),
	}
}

// readWhole takes the guard off a program.
func readWhole(r *program.Reader, n uint32) bool {
	if t, ok := r.Test(0); !ok || t != whole(n) {
		return false
	}
	r.Take(1)
	return true
}

// sportField and dportField are the ports of every transport that has them.
var (
	sportField = program.Payload{Base: program.Transport, Offset: 0, Len: 2}
	dportField = program.Payload{Base: program.Transport, Offset: 2, Len: 2}
)
