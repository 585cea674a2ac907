//go:build linux

// Floodguard shows what a mail host's firewall can do against floods: the same
// attacks run twice, without and with a protection, and a client that means well
// tries the same service meanwhile.
//
//	SYN flood            SYNPROXY answers in the server's place
//	ping flood           hashlimit: so many a second for each source
//	hoarded connections  connlimit: so many at once from one address
//	password guessing    recent: so many tries a minute from one address
//	the same, slower     hashlimit: an account for each address that fills up again
//
// It builds three hosts that exist only while it runs: the mail host, an attacker
// and a client, each on a link of its own. What got through is what the firewall's
// own rules counted.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Rules are the mail host's, with the guards that are given. Each guard's rules
// come before the one that lets its service in.
func Rules(guards ...Guard) table.Ruleset {
	input := []rule.Rule{rule.Accept(match.In("lo"))}
	var raw []rule.Rule
	for _, g := range guards {
		input = append(input, g.Input...)
		raw = append(raw, g.Raw...)
	}
	for _, s := range services {
		input = append(input, s.Rule)
	}
	input = append(input,
		rule.Accept(match.CTStates(match.Related|match.Established)),
		rule.Jump("neighbours", match.Proto(nf.ICMPv6)),
	)
	return table.NewRuleset(
		table.New(table.Raw, chain.BuiltIn(chain.Prerouting, chain.Accept, raw...)),
		table.New(table.Filter,
			chain.BuiltIn(chain.Input, chain.Drop, input...),
			chain.New("neighbours", rule.NeighborDiscovery()...),
		),
	)
}

// services are what the host offers. The rule that lets a new connection in counts
// what got through.
var services = []struct {
	Name string
	Rule rule.Rule
}{
	{"smtp", rule.Accept(newConnection(25)...)},
	{"http", rule.Accept(newConnection(80)...)},
	{"pop3", rule.Accept(newConnection(110)...)},
	{"imap", rule.Accept(newConnection(143)...)},
	{"ping", rule.Accept(match.ICMP{Type: match.Is(nf.Type(8))})},
}

// newConnection matches the packet that begins a connection to a port.
func newConnection(port uint16) []match.Match {
	return []match.Match{match.TCP{Dport: match.Is(nf.Port(port)), Flags: match.Is(match.SYN)}, match.CTStates(match.New)}
}

func main() {
	if err := lab.Enter(); err != nil {
		log.Fatal(err)
	}
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run makes each attack without and with its guard and prints what came of it.
func run(ctx context.Context, w io.Writer) error {
	n, err := newNetwork(ctx)
	if err != nil {
		return err
	}
	defer n.lab.Close()
	fw, err := nft.OpenIn(ctx, nft.FD(n.host.FD()), backend.Config{Owner: "floodguard"})
	if err != nil {
		return err
	}
	defer fw.Close()
	fmt.Fprintln(w, trimmed(fmt.Sprintf("%-20s %-5s %-23s %s", "", "", "without its guard", "with it")))
	fmt.Fprintf(w, "%-20s %-5s %-11s %-11s %-11s %s\n", "attack", "sent", "got through", "client", "got through", "client")
	for _, a := range n.attacks() {
		row := fmt.Sprintf("%-20s %-5d", a.name, a.sent)
		for _, guards := range [][]Guard{nil, {a.guard}} {
			through, client, err := n.try(ctx, fw, a, guards)
			if err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			row += fmt.Sprintf(" %-11s %-11s", through, client)
		}
		fmt.Fprintln(w, trimmed(row))
	}
	return nil
}
