package target

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// parseHost reads an address as getaddrinfo does where iptables leaves it to
// that: IPv4's short forms are inet_aton's, whose last number fills all bytes that
// are left ("10.1" is 10.0.0.1). Names of hosts are not looked up: that could
// block, and is the caller's to do.
func parseHost(w string, f nf.Family) (netip.Addr, error) {
	a, err := netip.ParseAddr(w)
	if err != nil && f != nf.IPv6 {
		a, err = inetAton(w)
	}
	switch {
	case err != nil || a.Zone() != "":
		return netip.Addr{}, fmt.Errorf("host %q not found", w)
	case f != nf.Both && nf.FamilyOf(a) != f, f == nf.IPv6 && a.Is4():
		return netip.Addr{}, fmt.Errorf("host %q is not of family %v", w, f)
	}
	return a, nil
}

// inetAton reads one to four numbers, decimal, 0x hexadecimal or 0 octal.
func inetAton(w string) (netip.Addr, error) {
	parts := strings.Split(w, ".")
	if len(parts) > 4 {
		return netip.Addr{}, fmt.Errorf("not an address: %q", w)
	}
	var b [4]byte
	for i, p := range parts {
		left := 1 // bytes
		if i == len(parts)-1 {
			left = 4 - i
		}
		n, err := option.Uint(p, 0, 1<<(8*left)-1)
		if err != nil || p == "" || p[0] < '0' || p[0] > '9' {
			return netip.Addr{}, fmt.Errorf("not an address: %q", w)
		}
		for k := range left {
			b[i+k] = byte(n >> (8 * (left - 1 - k)))
		}
	}
	return netip.AddrFrom4(b), nil
}
