package match

import (
	"encoding/binary"
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Dport is one destination port of a protocol: what "-p tcp --dport 22" says.
// For protocols other than TCP and UDP it is a multiport of one. A protocol that
// has no ports, the zero value above all, is an error of the rule.
func Dport(p nf.Protocol, port uint16) Match {
	switch p {
	case nf.TCP:
		return TCP{Dport: Is(nf.Port(port))}
	case nf.UDP:
		return UDP{Dport: Is(nf.Port(port))}
	}
	return Multiport{Proto: p, Dports: Is(nf.List(nf.Port(port)))}
}

// Sport is one source port of a protocol, as Dport is a destination port.
func Sport(p nf.Protocol, port uint16) Match {
	switch p {
	case nf.TCP:
		return TCP{Sport: Is(nf.Port(port))}
	case nf.UDP:
		return UDP{Sport: Is(nf.Port(port))}
	}
	return Multiport{Proto: p, Sports: Is(nf.List(nf.Port(port)))}
}

// Dports is "-p proto -m multiport --dports a,b,c": 1 to 15 ports.
func Dports(p nf.Protocol, ports ...uint16) Multiport {
	list := make([]nf.Ports, len(ports))
	for i, port := range ports {
		list[i] = nf.Port(port)
	}
	return Multiport{Proto: p, Dports: Is(nf.List(list...))}
}

// checkPorts refuses ports that have an error, and drops the range of all ports,
// which iptables-save does not print and no packet fails.
func checkPorts(sport, dport *Opt[nf.Ports]) error {
	for _, o := range [...]*Opt[nf.Ports]{sport, dport} {
		if *o == Is(nf.PortRange(0, 65535)) {
			*o = Opt[nf.Ports]{}
		}
	}
	return errors.Join(valid(*sport), valid(*dport))
}

// testPortPair compares the ports that are given, source first.
func testPortPair(c *program.Code, sport, dport Opt[nf.Ports]) {
	if p, not, ok := sport.Get(); ok {
		c.Test(portTest(sportField, not, p))
	}
	if p, not, ok := dport.Get(); ok {
		c.Test(portTest(dportField, not, p))
	}
}

// portTest compares a port field with a port or range. That a source port is not
// one is a range of one: nft, when it loads its listing, makes one comparison of
// two plain ones on neighbouring fields, so that "not 5 and not 6" would become
// "not (5 and 6)". A range it leaves alone.
func portTest(field program.Payload, not bool, p nf.Ports) program.Test {
	lo, hi, _ := p.Bounds()
	if not && field == sportField {
		return program.Test{Load: field, Op: program.Outside, A: program.Net16(lo), B: program.Net16(hi)}
	}
	return program.IsWithin(field, not, program.Net16(lo), program.Net16(hi))
}

// readPortPair takes what testPortPair added.
func readPortPair(r *program.Reader) (sport, dport Opt[nf.Ports]) {
	return readPort(r, sportField), readPort(r, dportField)
}

// readPort takes the comparison of one port field, if that is what comes next.
func readPort(r *program.Reader, field program.Payload) (o Opt[nf.Ports]) {
	if t, ok := r.Test(0); ok && t.Load == field {
		if p, ok := readPorts(t); ok {
			r.Take(1)
			return p
		}
	}
	return o
}

// readPorts reads portTest's value.
func readPorts(t program.Test) (o Opt[nf.Ports], ok bool) {
	lo, hi, ok := t.Bounds()
	if !ok || t.Mask != (program.Value{}) || len(lo.Data) != 2 || len(hi.Data) != 2 {
		return o, false
	}
	p := nf.PortRange(binary.BigEndian.Uint16([]byte(lo.Data)), binary.BigEndian.Uint16([]byte(hi.Data)))
	if p.Err() != nil {
		return o, false
	}
	return isOrNot(t.Not(), p), true
}

// listPorts is "dpt:22" or "dpts:!1:1023", as iptables -L prints them for tcp
// and udp; nothing where the option is absent.
func listPorts(name string, o Opt[nf.Ports], l *option.Lister, p nf.Protocol) []string {
	ports, not, ok := o.Get()
	if !ok {
		return nil
	}
	lo, hi, _ := ports.Bounds()
	if lo == hi {
		return []string{name + ":" + bang(not) + l.Port(lo, p)}
	}
	return []string{name + "s:" + bang(not) + l.Port(lo, p) + ":" + l.Port(hi, p)}
}
