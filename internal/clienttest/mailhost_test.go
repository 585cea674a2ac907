package clienttest

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// mailhost protects a mail host: 25 and 80 in, answers and loopback, the rest
// dropped, for IPv4 and IPv6 at once.
func mailhost() table.Ruleset {
	return table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop,
			rule.Accept(match.In("lo")),
			rule.Accept(match.Dports(nf.TCP, 25, 80)),
			rule.Accept(match.States(match.Related|match.Established)),
			rule.Jump("neighbours", match.Proto(nf.ICMPv6)),
		),
		chain.New("neighbours", rule.NeighborDiscovery()...),
		chain.BuiltIn(chain.Forward, chain.Accept),
		chain.BuiltIn(chain.Output, chain.Accept,
			rule.Accept(match.Out("lo")),
		),
	))
}

// What a person types into iptables-save's text, but for the family.
const mailhostText = `*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:neighbours - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m multiport --dports 25,80 -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ipv6-icmp -j neighbours
-A OUTPUT -o lo -j ACCEPT
-A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 133 -m hl --hl-eq 255 -j ACCEPT
-A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 134 -m hl --hl-eq 255 -j ACCEPT
-A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT
-A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 136 -m hl --hl-eq 255 -j ACCEPT
COMMIT
`

func TestMailhost(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		empty := w.list(t)
		fw := w.open(t, backend.Config{Owner: "mailhost"})
		w.apply(t, fw, mailhost())
		if got := read(t, fw).String(); got != mailhostText {
			t.Errorf("reads as\n%swant\n%s", got, mailhostText)
		}
		for warning := range table.Lint(mailhost()) {
			t.Errorf("lint: %v", warning)
		}
		first := w.list(t)
		if err := fw.Apply(t.Context(), mailhost()); err != nil || w.list(t) != first {
			t.Errorf("a second Apply changed something: %v", err)
		}
		if err := fw.Remove(t.Context()); err != nil || w.list(t) != empty {
			t.Errorf("an uninstall leaves (%v)\n%s", err, w.list(t))
		}
		if err := fw.Remove(t.Context()); err != nil {
			t.Errorf("a second uninstall: %v", err)
		}
	})
}
