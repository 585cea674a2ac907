package match

import (
	"encoding/binary"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Dport is one destination port of a protocol: what "-p tcp --dport 22" says.
// For protocols other than TCP and UDP it is a multiport of one. The zero
// protocol is an error.
func Dport(p nf.Protocol, port uint16) Match {
	switch p {
	case nf.TCP:
		return TCP{Dport: Is(nf.Port(port))}
	}
	return TCP{}
}

// portTest compares a port field with a port or range.
func portTest(field program.Payload, not bool, p nf.Ports) program.Test {
	lo, hi, _ := p.Bounds()
	return program.IsWithin(field, not, program.Net16(lo), program.Net16(hi))
}

// readPorts reads portTest's value.
func readPorts(t program.Test) (Opt[nf.Ports], bool) {
	lo, hi, ok := t.Bounds()
	if !ok || t.Mask != (program.Value{}) || len(lo.Data) != 2 || len(hi.Data) != 2 {
		return Opt[nf.Ports]{}, false
	}
	p := nf.PortRange(binary.BigEndian.Uint16([]byte(lo.Data)), binary.BigEndian.Uint16([]byte(hi.Data)))
	return isOrNot(t.Not(), p), p.Err() == nil
}
