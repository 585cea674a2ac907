package rule

import (
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// NeighborDiscovery accepts what IPv6 cannot do without on a link: router and
// neighbour solicitation and advertisement (ICMPv6 types 133 to 136), with the
// hop limit of 255 that proves them to come from the link itself. A policy of
// DROP without these rules ends IPv6 altogether, since no host's link-layer
// address is found any more. It is what RFC 4890, section 4.4.1, says must not
// be dropped of these; the rules go into INPUT and OUTPUT of a table for IPv6, or
// for both families, where IPv4 packets do not see them.
func NeighborDiscovery() []Rule {
	var rules []Rule
	for t := uint8(133); t <= 136; t++ {
		rules = append(rules, Accept(
			match.ICMP6{Type: match.Is(nf.Type(t))},
			match.HL{Eq: match.Is(uint8(255))},
		))
	}
	return rules
}
