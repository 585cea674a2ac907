package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// bothPortsField is the source and the destination port in one.
var bothPortsField = program.Payload{Base: program.Transport, Offset: 0, Len: 4}

// lastPort is the greatest port number.
const lastPort = 65535

// sharedPortsExact says whether what iptables-nft makes of the ports does the
// same. Of two inverted ports it makes one comparison, which says that not both
// are those two; and it leaves a range of all ports out, inverted or not.
func sharedPortsExact(sport, dport Opt[nf.Ports]) bool {
	for _, o := range [...]Opt[nf.Ports]{sport, dport} {
		if p, _, ok := o.Get(); ok && p == nf.PortRange(0, lastPort) {
			return false
		}
	}
	return !(joined(sport, dport) && sport.not)
}

// joined says whether iptables-nft makes one comparison of two ports.
func joined(sport, dport Opt[nf.Ports]) bool {
	return sport.not == dport.not && onePort(sport) && onePort(dport)
}

// onePort says whether it is one port other than 0.
func onePort(o Opt[nf.Ports]) bool {
	p, _, ok := o.Get()
	lo, hi, _ := p.Bounds()
	return ok && lo == hi && lo != 0
}

// testSharedPorts compares the ports that are given, source first, as iptables-nft
// does.
func testSharedPorts(c *program.Code, sport, dport Opt[nf.Ports]) {
	if joined(sport, dport) {
		src, dst := blobPorts(sport), blobPorts(dport)
		both := program.Net16(src[0]).Data + program.Net16(dst[0]).Data
		c.Test(program.IsValue(bothPortsField, sport.not, program.Value{Data: both}))
		return
	}
	if p, not, ok := sport.Get(); ok {
		c.Test(sharedPortTest(sportField, not, p))
	}
	if p, not, ok := dport.Get(); ok {
		c.Test(sharedPortTest(dportField, not, p))
	}
}

// sharedPortTest compares a port field with a port or a range; one from 0 on has
// an end only.
func sharedPortTest(field program.Payload, not bool, p nf.Ports) program.Test {
	lo, hi, _ := p.Bounds()
	switch {
	case lo == 0 && hi > 0 && not:
		return program.Test{Load: field, Op: program.IsGt, A: program.Net16(hi)}
	case lo == 0 && hi > 0:
		return program.Test{Load: field, Op: program.IsLe, A: program.Net16(hi)}
	}
	return program.IsWithin(field, not, program.Net16(lo), program.Net16(hi))
}

// readSharedPorts takes what testSharedPorts added: of two comparisons that it
// would have joined only the first, since they are two matches.
func readSharedPorts(r *program.Reader) (sport, dport Opt[nf.Ports]) {
	t, ok := r.Test(0)
	if ok && t.Load == bothPortsField && t.Op == program.IsEq && t.Mask == (program.Value{}) && len(t.A.Data) == 4 {
		r.Take(1)
		return Is(nf.Port(port(t.A.Data[:2]))), Is(nf.Port(port(t.A.Data[2:])))
	}
	sport = readSharedPort(r, sportField)
	pos := r.Pos()
	if dport = readSharedPort(r, dportField); joined(sport, dport) {
		r.Seek(pos)
		return sport, Opt[nf.Ports]{}
	}
	return sport, dport
}

// readSharedPort takes the comparison of one port field, if that is what comes next.
func readSharedPort(r *program.Reader, field program.Payload) (o Opt[nf.Ports]) {
	t, ok := r.Test(0)
	if !ok || t.Load != field {
		return o
	}
	o, ok = readPorts(t)
	if (t.Op == program.IsLe || t.Op == program.IsGt) && len(t.A.Data) == 2 && t.Mask == (program.Value{}) {
		o, ok = isOrNot(t.Op == program.IsGt, nf.PortRange(0, port(t.A.Data))), true
	}
	if !ok {
		return Opt[nf.Ports]{}
	}
	r.Take(1)
	return o
}

// port is a port's number in network order.
func port(b string) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }

// blobPorts are the first and the last port as xt matches hold them: all where
// the option is absent.
func blobPorts(o Opt[nf.Ports]) [2]uint16 {
	p, _, ok := o.Get()
	if !ok {
		return [2]uint16{0, lastPort}
	}
	lo, hi, _ := p.Bounds()
	return [2]uint16{lo, hi}
}

// readBlobPorts is blobPorts' inverse.
func readBlobPorts(b [2]uint16, not bool) (o Opt[nf.Ports]) {
	if !not && b == [2]uint16{0, lastPort} {
		return o
	}
	return isOrNot(not, nf.PortRange(b[0], b[1]))
}
