package match

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ascending is a list of ports as a set keeps it: sorted, each port in one
// range, ranges that touch made one.
func ascending(ports []nf.Ports) []nf.Ports {
	slices.SortFunc(ports, func(a, b nf.Ports) int {
		alo, ahi, _ := a.Bounds()
		blo, bhi, _ := b.Bounds()
		return cmp.Or(cmp.Compare(alo, blo), cmp.Compare(ahi, bhi))
	})
	exact := !slices.ContainsFunc(ports, func(p nf.Ports) bool { return !p.Single() })
	var out []nf.Ports
	for _, p := range ports {
		if len(out) == 0 {
			out = append(out, p)
			continue
		}
		last := &out[len(out)-1]
		lo, hi, _ := last.Bounds()
		plo, phi, _ := p.Bounds()
		switch {
		case plo <= hi, !exact && int(plo) == int(hi)+1:
			*last = nf.PortRange(lo, max(hi, phi))
		default:
			out = append(out, p)
		}
	}
	return out
}

// listTest compares a field with an ascending list: by itself where it is one
// port or range, else in a set, which holds ranges only where there are some.
func listTest(field program.Payload, not bool, ports []nf.Ports) program.Test {
	if len(ports) == 1 {
		return portTest(field, not, ports[0])
	}
	set := program.ConstSet{Type: program.TypeService, Len: 2}
	set.Interval = slices.ContainsFunc(ports, func(p nf.Ports) bool { return !p.Single() })
	var elems []byte
	for _, p := range ports {
		lo, hi, _ := p.Bounds()
		elems = binary.BigEndian.AppendUint16(elems, lo)
		if set.Interval {
			elems = binary.BigEndian.AppendUint16(elems, hi)
		}
	}
	set.Elems = string(elems)
	return program.IsIn(field, not, set)
}

// readList reads listTest's ports.
func readList(t program.Test) (ports []nf.Ports, ok bool) {
	if o, ok := readPorts(t); ok {
		p, _, _ := o.Get()
		return []nf.Ports{p}, true
	}
	if t.Op != program.In && t.Op != program.NotIn || t.Mask != (program.Value{}) ||
		t.Set.Type != program.TypeService || t.Set.Len != 2 || t.Set.Host {
		return nil, false
	}
	keys := t.Set.Keys()
	for i := 0; i < len(keys); i++ {
		lo := binary.BigEndian.Uint16([]byte(keys[i]))
		hi := lo
		if t.Set.Interval {
			if i++; i == len(keys) {
				return nil, false
			}
			hi = binary.BigEndian.Uint16([]byte(keys[i]))
		}
		ports = append(ports, nf.PortRange(lo, hi))
	}
	return ports, true
}

// blob is the list as xt_multiport holds it: in order, a range as two ports
// of which the first is flagged.
func (m Multiport) blob(program.Env) xtables.Multiport {
	b := xtables.Multiport{Which: xtables.MultiportEither}
	switch {
	case m.Sports.Given():
		b.Which = xtables.MultiportSource
	case m.Dports.Given():
		b.Which = xtables.MultiportDest
	}
	_, o := m.list()
	list, not, _ := o.Get()
	if not {
		b.Invert = 1
	}
	for _, p := range list.All() {
		lo, hi, _ := p.Bounds()
		b.Ports[b.Count] = lo
		b.Count++
		if lo != hi {
			b.Ranged[b.Count-1] = 1
			b.Ports[b.Count] = hi
			b.Count++
		}
	}
	return b
}

// readMultiportBlob reads blob's list.
func readMultiportBlob(b xtables.Multiport, env program.Env) (m Multiport, ok bool) {
	m.Proto = nf.Protocol(env.Proto)
	if env.ProtoNot || !m.Proto.HasPorts() || int(b.Count) > len(b.Ports) || b.Invert > 1 {
		return m, false
	}
	var ports []nf.Ports
	for i := 0; i < int(b.Count); i++ {
		lo, hi := b.Ports[i], b.Ports[i]
		if b.Ranged[i] != 0 {
			if i++; i >= int(b.Count) {
				return m, false
			}
			hi = b.Ports[i]
		}
		ports = append(ports, nf.PortRange(lo, hi))
	}
	list := nf.List(ports...)
	o := isOrNot(b.Invert == 1, list)
	switch b.Which {
	case xtables.MultiportSource:
		m.Sports = o
	case xtables.MultiportDest:
		m.Dports = o
	case xtables.MultiportEither:
		m.Ports = o
	default:
		return m, false
	}
	return m, list.Err() == nil
}
