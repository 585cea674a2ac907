package option

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Number is a codec for a whole number from lo to hi, printed in decimal.
func Number[V ~uint8 | ~uint16 | ~uint32 | ~uint64](lo, hi V) Codec[V] {
	return Codec[V]{
		Want: fmt.Sprintf("a number from %d to %d", lo, hi),
		Parse: func(w string, _ Context) (V, error) {
			n, err := Uint(w, uint64(lo), uint64(hi))
			return V(n), err
		},
		Print: func(v V, _ nf.Family) string { return fmt.Sprint(v) },
	}
}

// Text is a codec for a string of at most n bytes, quoted where it must be.
func Text(n int) Codec[string] {
	return Codec[string]{
		Want: fmt.Sprintf("a string of 1 to %d bytes", n),
		Parse: func(w string, _ Context) (string, error) {
			switch {
			case len(w) > n:
				return "", fmt.Errorf("too long: %d bytes, %d at most", len(w), n)
			case strings.ContainsAny(w, "\n\x00"):
				return "", fmt.Errorf("must be one line")
			}
			return w, nil
		},
		Print: func(s string, _ nf.Family) string { return Quote(s) },
	}
}

// Ports is a codec for a port or a range "lo:hi", either side open, by number
// or by the name of a service.
var Ports = Codec[nf.Ports]{
	Want:  "a port or a range of ports",
	Parse: func(w string, c Context) (nf.Ports, error) { return parsePorts(w, c, ParsePort) },
	Print: func(p nf.Ports, _ nf.Family) string { return p.String() },
}

// DecimalPorts is Ports where iptables leaves reading to getaddrinfo, which
// knows decimal numbers only: 010 is ten, and 0x10 no port. That is so for udp,
// udplite, dccp, conntrack and TPROXY. Unlike it, what is above 65535 or runs
// backward is refused.
var DecimalPorts = Codec[nf.Ports]{
	Want:  Ports.Want,
	Parse: func(w string, c Context) (nf.Ports, error) { return parsePorts(w, c, ParseDecimalPort) },
	Print: Ports.Print,
}

// parsePorts reads a port or a range lo:hi, where either bound may be missing,
// with what reads a port.
func parsePorts(w string, c Context, parse func(string, Context) (uint16, error)) (nf.Ports, error) {
	first, last, ranged := strings.Cut(w, ":")
	if !ranged {
		p, err := parse(w, c)
		return nf.Port(p), err
	}
	lo, hi := uint16(0), uint16(65535)
	var err error
	if first != "" {
		if lo, err = parse(first, c); err != nil {
			return nf.Ports{}, err
		}
	}
	if last != "" {
		if hi, err = parse(last, c); err != nil {
			return nf.Ports{}, err
		}
	}
	p := nf.PortRange(lo, hi)
	return p, p.Err()
}

// ParsePort reads a port's number, or its service's name as the system knows it
// for the rule's protocol.
func ParsePort(w string, c Context) (uint16, error) {
	if n, err := Uint(w, 0, 65535); err == nil {
		return uint16(n), nil
	}
	if n, ok := service(w, c.Proto); ok {
		return n, nil
	}
	return 0, fmt.Errorf("invalid port/service `%s' specified", w)
}

// ParseDecimalPort is ParsePort for DecimalPorts; names are those of any protocol.
func ParseDecimalPort(w string, _ Context) (uint16, error) {
	if n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimLeft(w, " \t\n\v\f\r"), "+"), 10, 16); err == nil {
		return uint16(n), nil
	}
	if n, ok := service(w, 0); ok {
		return n, nil
	}
	return 0, fmt.Errorf("port %q does not resolve to anything", w)
}

// service is the port of a service that the system knows by name, for TCP, UDP
// or, where the protocol is not said, either.
func service(name string, p nf.Protocol) (port uint16, ok bool) {
	if strings.IndexFunc(name, func(r rune) bool { return r < '0' || r > '9' }) < 0 || strings.ToLower(name) != name {
		return 0, false // what net takes for a number, and what it alone takes for a name
	}
	networks := []string{"tcp", "udp"}
	switch p {
	case nf.TCP:
		networks = networks[:1]
	case nf.UDP, nf.UDPLite:
		networks = networks[1:]
	case nf.SCTP, nf.DCCP:
		networks = nil // next to none is registered, and none that is not TCP's too
	}
	for _, network := range networks {
		// Only a name is looked up, and only in the system's own table: no packet is sent.
		if n, err := net.LookupPort(network, name); err == nil {
			return uint16(n), true
		}
	}
	return 0, false
}

// MarkBits is a codec for "value[/mask]".
var MarkBits = Codec[nf.MarkBits]{
	Want: "value[/mask]",
	Parse: func(w string, _ Context) (nf.MarkBits, error) {
		v, mask, masked := strings.Cut(w, "/")
		n, err := Uint(v, 0, 0xffffffff)
		if err != nil || !masked {
			return nf.Mark(uint32(n)), err
		}
		m, err := Uint(mask, 0, 0xffffffff)
		return nf.MarkMask(uint32(n), uint32(m)), err
	},
	Print: func(m nf.MarkBits, _ nf.Family) string { return m.String() },
}

// Net is a codec for one address with an optional prefix or mask.
var Net = Codec[nf.Net]{
	Want:  "an address, with /prefix or /mask",
	Parse: func(w string, c Context) (nf.Net, error) { return ParseNet(w, c.Family) },
	Print: func(n nf.Net, _ nf.Family) string { return n.String() },
}

// ParseNet reads address[/prefix] or address/mask of a family. Names of hosts
// are not looked up: that could block, and is the caller's to do.
func ParseNet(w string, f nf.Family) (nf.Net, error) {
	host, mask, masked := strings.Cut(w, "/")
	a, err := ParseAddr(host, f)
	if err != nil {
		return nf.Net{}, err
	}
	if !masked {
		return nf.NetOf(a), nil
	}
	if n, err := Uint(mask, 0, uint64(a.BitLen())); err == nil {
		return nf.NetOf(netip.PrefixFrom(a, int(n))), nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil && a.Is4() && strings.Count(mask, ".") == 3 {
		m, err = shortIPv4(mask) // 255.0377.0.0
	}
	if err != nil || m.BitLen() != a.BitLen() {
		return nf.Net{}, fmt.Errorf("invalid mask `%s' specified", mask)
	}
	n := nf.Masked(a, m)
	return n, n.Err()
}

// ParseAddr reads one address of a family. IPv4's short forms are read as
// inet_aton reads them for iptables: missing bytes are 0 ("10.1" is 10.1.0.0).
func ParseAddr(w string, f nf.Family) (netip.Addr, error) {
	a, err := netip.ParseAddr(w)
	if err != nil && f != nf.IPv6 {
		a, err = shortIPv4(w)
	}
	switch {
	case err != nil || a.Zone() != "":
		return netip.Addr{}, fmt.Errorf("host/network `%s' not found", w)
	case f != nf.Both && nf.FamilyOf(a) != f, f == nf.IPv6 && a.Is4():
		return netip.Addr{}, fmt.Errorf("host/network `%s' is not %v", w, f)
	}
	return a, nil
}

// shortIPv4 reads one to three dotted bytes, the rest 0.
func shortIPv4(w string) (netip.Addr, error) {
	var b [4]byte
	parts := strings.Split(w, ".")
	if len(parts) > 4 {
		return netip.Addr{}, fmt.Errorf("not an address: %q", w)
	}
	for i, p := range parts {
		n, err := Uint(p, 0, 255)
		if err != nil {
			return netip.Addr{}, err
		}
		b[i] = byte(n)
	}
	return netip.AddrFrom4(b), nil
}
