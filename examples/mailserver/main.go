//go:build linux

// Mailserver protects a mail host and shows that it does: 25 and 80 are open,
// answers and loopback come through, the rest is dropped, for IPv4 and IPv6.
//
// It builds two hosts that exist only while it runs, the mail host at
// 192.168.1.101 and a peer at 192.168.1.102, puts the firewall in the one and
// knocks from the other. It runs as root or as an ordinary user and touches
// nothing of the machine's own network.
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

// Rules is the mail host's script, for IPv4 and IPv6 at once. (table.Filter.IPv4()
// would leave IPv6 open; without its neighbours IPv6 would be dead.)
func Rules() table.Ruleset {
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

func main() {
	if err := lab.Enter(); err != nil {
		log.Fatal(err)
	}
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run puts the firewall up, tries it from outside and inside, and prints what
// came of it.
func run(ctx context.Context, w io.Writer) error {
	n, err := newNetwork(ctx)
	if err != nil {
		return err
	}
	defer n.Close()

	fw, err := nft.OpenIn(ctx, nft.FD(n.host.FD()), backend.Config{Owner: "mailhost"})
	if err != nil {
		return err
	}
	defer fw.Close()
	if err := fw.Apply(ctx, Rules()); err != nil {
		return err
	}

	fmt.Fprintf(w, "Servers listen on ports %v of the mail host.\n", listening)
	for _, addr := range [...]string{hostIPv4, hostIPv6} {
		if err := n.scan(ctx, w, addr); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	for _, try := range n.tries() {
		result, err := try.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", try.name, err)
		}
		fmt.Fprintf(w, "%-46s %s\n", try.name, result)
	}
	fmt.Fprintln(w)
	return list(ctx, w, fw)
}

// list prints the table as iptables -nvL does.
func list(ctx context.Context, w io.Writer, fw *backend.Firewall) error {
	now, err := fw.Read(ctx, table.Filter)
	if err != nil {
		return err
	}
	t, _ := now.Table(table.Filter)
	return t.List(ctx, w, table.Listing{Verbose: true})
}
