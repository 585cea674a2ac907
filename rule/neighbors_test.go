package rule_test

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// RFC 4890, section 4.4.1: router solicitation and advertisement, neighbour
// solicitation and advertisement; RFC 4861: valid with hop limit 255 only.
func TestNeighborDiscoveryAcceptsTheFourTypesFromTheLink(t *testing.T) {
	want := []string{
		"-p ipv6-icmp -m icmp6 --icmpv6-type 133 -m hl --hl-eq 255 -j ACCEPT",
		"-p ipv6-icmp -m icmp6 --icmpv6-type 134 -m hl --hl-eq 255 -j ACCEPT",
		"-p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT",
		"-p ipv6-icmp -m icmp6 --icmpv6-type 136 -m hl --hl-eq 255 -j ACCEPT",
	}
	rules := rule.NeighborDiscovery()
	if len(rules) != len(want) {
		t.Fatalf("%d rules, want %d", len(rules), len(want))
	}
	for i, r := range rules {
		if r.Err() != nil || r.String() != want[i] || r.Family() != nf.IPv6 {
			t.Errorf("rule %d: %v, %v, %v, want %s", i, r, r.Family(), r.Err(), want[i])
		}
	}
	rules[0] = rule.Drop()
	if rule.NeighborDiscovery()[0].String() != want[0] {
		t.Error("the caller's slice is ours")
	}
}
