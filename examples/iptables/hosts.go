package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// lookupLimit is how long a host's name is looked up.
const lookupLimit = 5 * time.Second

// resolve puts addresses in the place of hosts' names in "-s a,b/24": the
// library reads addresses only, since it never waits for DNS. What has no
// address stays, for the library to refuse.
func (s *scanner) resolve(list string) string {
	words := strings.Split(list, ",")
	var out []string
	for _, word := range words {
		host, mask, masked := strings.Cut(strings.TrimSpace(word), "/")
		found := s.lookup(host)
		if found == nil {
			out = append(out, word)
		}
		for _, a := range found {
			if masked {
				a += "/" + mask
			}
			out = append(out, a)
		}
	}
	return strings.Join(out, ",")
}

// lookup is the addresses of a host; nil for an address, and for a name that
// has none.
func (s *scanner) lookup(host string) []string {
	if _, err := netip.ParseAddr(host); err == nil || strings.Trim(host, ".0123456789") == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, lookupLimit)
	defer cancel()
	network := "ip4"
	if s.family == nf.IPv6 {
		network = "ip6"
	}
	found, err := (&net.Resolver{PreferGo: true}).LookupNetIP(ctx, network, host)
	if err != nil {
		return nil
	}
	out := make([]string, len(found))
	for i, a := range found {
		out[i] = a.Unmap().String()
	}
	return out
}
