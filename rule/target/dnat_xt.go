package target

import (
	"encoding/binary"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// dnatXT is xt_nat's DNAT of revision 2, the only one that shifts ports.
var dnatXT = option.XT[DNAT]{
	Target: true, Tables: []string{"nat"},
	Encode: func(t DNAT, _ program.Env) (uint8, string) { return 2, xtables.Encode(t.natRange().two()) },
	Decode: func(rev uint8, info string, env program.Env) (t DNAT, ok bool) {
		b, ok := xtables.Decode[xtables.NATRange2](info)
		if !ok || rev != 2 {
			return t, false
		}
		n := 16
		if env.Family == program.IP {
			n = 4
		}
		r, ok := rangeOf(b.Flags, b.MinAddr[:n], b.MaxAddr[:n], b.MinPort, b.MaxPort)
		if b.Flags&rangeOffset != 0 {
			r.base = binary.BigEndian.Uint16(b.BasePort[:])
		}
		t = DNAT{To: r.to, Ports: r.ports, Shift: r.base, NATOptions: natOptions(r.flags)}
		return t, ok && t.natRange().two() == b
	},
}

func (t DNAT) natRange() natRange {
	return natRange{to: t.To, ports: t.Ports, base: t.Shift, flags: t.flags()}
}
