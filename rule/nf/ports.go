package nf

import "strconv"

// Ports is one port or a closed range. The zero value is "not given", which port 0 is not.
type Ports struct {
	lo, hi uint16
	given  bool
}

// Port is the single port p.
func Port(p uint16) Ports { return Ports{p, p, true} }

// PortRange is lo to hi, both included; lo > hi is an error where it is used.
func PortRange(lo, hi uint16) Ports { return Ports{lo, hi, true} }

// Bounds returns the first and last port; ok is false for the zero value.
func (p Ports) Bounds() (lo, hi uint16, ok bool) { return p.lo, p.hi, p.given }

// Given says whether p was made by Port or PortRange.
func (p Ports) Given() bool { return p.given }

// Single says whether p is one port.
func (p Ports) Single() bool { return p.given && p.lo == p.hi }

// Err is not nil for a backward range and for the zero value.
func (p Ports) Err() error {
	switch {
	case !p.given:
		return &ValueError{Kind: "port", Reason: "not given"}
	case p.lo > p.hi:
		return &ValueError{Kind: "port range", Value: p.String(), Reason: "runs backward (min > max)"}
	}
	return nil
}

// String is "22" or "1024:65535"; "" for the zero value.
func (p Ports) String() string { return p.Format(":") }

// Format is String with another sign between the bounds: DNAT and its kind write "-".
func (p Ports) Format(sep string) string {
	switch {
	case !p.given:
		return ""
	case p.lo == p.hi:
		return strconv.Itoa(int(p.lo))
	}
	return strconv.Itoa(int(p.lo)) + sep + strconv.Itoa(int(p.hi))
}

// maxSlots is XT_MULTI_PORTS: what xt_multiport's struct holds.
const maxSlots = 15

// PortList is what multiport takes: up to 15 slots, a range takes two. It is
// comparable, and keeps the order in which it was made. The zero value is empty,
// which is an error where it is used.
type PortList struct {
	ports [maxSlots]Ports
	n     uint8
	err   string
}

// List makes a PortList; more than 15 slots is an error where it is used, as
// is an empty list and a port that has an error of its own.
func List(ports ...Ports) PortList {
	var l PortList
	slots := 0
	for _, p := range ports {
		if err := p.Err(); err != nil {
			return PortList{err: err.Error()}
		}
		slots++
		if !p.Single() {
			slots++
		}
		if slots > maxSlots {
			return PortList{err: "too many ports specified: 15 at most, a range counts as two"}
		}
		l.ports[l.n] = p
		l.n++
	}
	return l
}

// All are the ports and ranges in the order given.
func (l PortList) All() []Ports { return append([]Ports(nil), l.ports[:l.n]...) }

// Err is not nil for an empty list and for one that could not be made.
func (l PortList) Err() error {
	switch {
	case l.err != "":
		return &ValueError{Kind: "port list", Reason: l.err}
	case l.n == 0:
		return &ValueError{Kind: "port list", Reason: "empty"}
	}
	return nil
}

// String is "25,80,1024:65535".
func (l PortList) String() string {
	s := ""
	for i, p := range l.ports[:l.n] {
		if i > 0 {
			s += ","
		}
		s += p.String()
	}
	return s
}
