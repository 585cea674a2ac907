package match

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// icmpWords are the names of one protocol's types and codes.
type icmpWords struct {
	kind  string // for errors
	begin string // what a line of iptables -L begins with
	names []icmpName
}

// icmpName is one name. Where two are for one type the first is printed.
type icmpName struct {
	name string
	t    nf.ICMPType
}

// codec reads a name or an unambiguous beginning of one, or a number with an
// optional code, and prints numbers.
func (w *icmpWords) codec() option.Codec[nf.ICMPType] {
	return option.Codec[nf.ICMPType]{
		Want:  "type[/code] or a name",
		Parse: func(s string, _ option.Context) (nf.ICMPType, error) { return w.parse(s) },
		Print: func(t nf.ICMPType, _ nf.Family) string { return t.String() },
	}
}

func (w *icmpWords) parse(s string) (t nf.ICMPType, err error) {
	var found []icmpName
	for _, n := range w.names {
		if len(n.name) >= len(s) && strings.EqualFold(n.name[:len(s)], s) {
			found = append(found, n)
		}
	}
	switch {
	case len(found) > 1:
		return t, fmt.Errorf("Ambiguous %s type `%s': `%s' or `%s'?", w.kind, s, found[0].name, found[1].name)
	case len(found) == 1:
		return found[0].t, nil
	}
	typ, code, coded := strings.Cut(s, "/")
	n, err := option.Uint(typ, 0, 255)
	if err != nil {
		return t, fmt.Errorf("Unknown %s type `%s'", w.kind, s)
	}
	if !coded {
		return nf.Type(uint8(n)), nil
	}
	c, err := option.Uint(code, 0, 255)
	if err != nil {
		return t, fmt.Errorf("Unknown %s code `%s'", w.kind, s)
	}
	return nf.TypeCode(uint8(n), uint8(c)), nil
}

// list is "icmptype 3 code 1", "icmp !type 8", or, with names, "icmp echo-request".
func (w *icmpWords) list(o Opt[nf.ICMPType], l *option.Lister) string {
	t, not, _ := o.Get()
	if !l.Numeric() {
		for _, n := range w.names {
			if n.t == t {
				return w.begin + " " + bang(not) + n.name
			}
		}
	}
	s := w.begin
	if not {
		s += " !"
	}
	typ, ok := t.Type()
	if !ok {
		typ = 255
	}
	s += fmt.Sprintf("type %d", typ)
	if code, ok := t.Code(); ok {
		s += fmt.Sprintf(" code %d", code)
	}
	return s
}

// icmpNames are iptables' names, by RFC 792, 950, 1122 and 1256.
var icmpNames = icmpWords{"ICMP", "icmp", []icmpName{
	{"any", nf.AnyType()},
	{"echo-reply", nf.Type(0)}, {"pong", nf.Type(0)},
	{"destination-unreachable", nf.Type(3)},
	{"network-unreachable", nf.TypeCode(3, 0)},
	{"host-unreachable", nf.TypeCode(3, 1)},
	{"protocol-unreachable", nf.TypeCode(3, 2)},
	{"port-unreachable", nf.TypeCode(3, 3)},
	{"fragmentation-needed", nf.TypeCode(3, 4)},
	{"source-route-failed", nf.TypeCode(3, 5)},
	{"network-unknown", nf.TypeCode(3, 6)},
	{"host-unknown", nf.TypeCode(3, 7)},
	{"network-prohibited", nf.TypeCode(3, 9)},
	{"host-prohibited", nf.TypeCode(3, 10)},
	{"TOS-network-unreachable", nf.TypeCode(3, 11)},
	{"TOS-host-unreachable", nf.TypeCode(3, 12)},
	{"communication-prohibited", nf.TypeCode(3, 13)},
	{"host-precedence-violation", nf.TypeCode(3, 14)},
	{"precedence-cutoff", nf.TypeCode(3, 15)},
	{"source-quench", nf.Type(4)},
	{"redirect", nf.Type(5)},
	{"network-redirect", nf.TypeCode(5, 0)},
	{"host-redirect", nf.TypeCode(5, 1)},
	{"TOS-network-redirect", nf.TypeCode(5, 2)},
	{"TOS-host-redirect", nf.TypeCode(5, 3)},
	{"echo-request", nf.Type(8)}, {"ping", nf.Type(8)},
	{"router-advertisement", nf.Type(9)},
	{"router-solicitation", nf.Type(10)},
	{"time-exceeded", nf.Type(11)}, {"ttl-exceeded", nf.Type(11)},
	{"ttl-zero-during-transit", nf.TypeCode(11, 0)},
	{"ttl-zero-during-reassembly", nf.TypeCode(11, 1)},
	{"parameter-problem", nf.Type(12)},
	{"ip-header-bad", nf.TypeCode(12, 0)},
	{"required-option-missing", nf.TypeCode(12, 1)},
	{"timestamp-request", nf.Type(13)},
	{"timestamp-reply", nf.Type(14)},
	{"address-mask-request", nf.Type(17)},
	{"address-mask-reply", nf.Type(18)},
}}

// icmp6Names are ip6tables' names, by RFC 4443, 4861 and 6550.
var icmp6Names = icmpWords{"ICMPv6", "ipv6-icmp", []icmpName{
	{"destination-unreachable", nf.Type(1)},
	{"no-route", nf.TypeCode(1, 0)},
	{"communication-prohibited", nf.TypeCode(1, 1)},
	{"beyond-scope", nf.TypeCode(1, 2)},
	{"address-unreachable", nf.TypeCode(1, 3)},
	{"port-unreachable", nf.TypeCode(1, 4)},
	{"failed-policy", nf.TypeCode(1, 5)},
	{"reject-route", nf.TypeCode(1, 6)},
	{"packet-too-big", nf.Type(2)},
	{"time-exceeded", nf.Type(3)}, {"ttl-exceeded", nf.Type(3)},
	{"ttl-zero-during-transit", nf.TypeCode(3, 0)},
	{"ttl-zero-during-reassembly", nf.TypeCode(3, 1)},
	{"parameter-problem", nf.Type(4)},
	{"bad-header", nf.TypeCode(4, 0)},
	{"unknown-header-type", nf.TypeCode(4, 1)},
	{"unknown-option", nf.TypeCode(4, 2)},
	{"echo-request", nf.Type(128)}, {"ping", nf.Type(128)},
	{"echo-reply", nf.Type(129)}, {"pong", nf.Type(129)},
	{"router-solicitation", nf.Type(133)},
	{"router-advertisement", nf.Type(134)},
	{"neighbour-solicitation", nf.Type(135)}, {"neighbor-solicitation", nf.Type(135)},
	{"neighbour-advertisement", nf.Type(136)}, {"neighbor-advertisement", nf.Type(136)},
	{"redirect", nf.Type(137)},
}}
