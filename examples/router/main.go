//go:build linux

// Router joins two networks: it lets the inside out behind its own address,
// publishes a web server of the inside on a port of its own, for the inside too
// (hairpin), logs and refuses the rest.
//
// It builds three hosts that exist only while it runs (inside, router, outside),
// programs the router and proves each promise with a real connection. It runs as
// root or as an ordinary user.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The two networks, the router's interfaces in them, and who lives there.
var (
	inside = netip.MustParsePrefix("192.168.1.0/24")
	web    = netip.MustParseAddrPort("192.168.1.2:80")
	public = netip.MustParseAddr("198.51.100.1") // the router's address outside
)

const (
	lan = "lan0"
	wan = "wan0"
)

// Rules is the router's ruleset, for IPv4: what a home router does.
func Rules() table.Ruleset {
	published := match.Dport(nf.TCP, 8080)
	return table.NewRuleset(
		table.New(table.NAT.IPv4(),
			chain.BuiltIn(chain.Prerouting, chain.Accept,
				rule.New(target.DNATTo(web), match.Dest(public), published),
			),
			chain.BuiltIn(chain.Postrouting, chain.Accept,
				rule.New(target.SNAT{To: nf.Addr(public)}, match.Source(inside), match.Out(wan), match.Proto(nf.TCP)),
				rule.New(target.Masquerade{}, match.Source(inside), match.Out(wan)),
				// Hairpin: the answer must come back through the router.
				rule.New(target.Masquerade{}, match.Source(inside), match.Dest(inside), match.Out(lan)),
			),
		),
		table.New(table.Filter.IPv4(),
			chain.BuiltIn(chain.Forward, chain.Drop,
				rule.Accept(match.CTStates(match.Related|match.Established)),
				rule.Accept(match.In(lan)),
				rule.Accept(match.In(wan), match.Dest(web.Addr()), match.Dport(nf.TCP, web.Port())),
				rule.New(target.Log{Prefix: "refused: "}),
				rule.New(target.Reject{With: target.AdminProhibited}),
			),
		),
	)
}

func main() {
	if err := lab.Enter(); err != nil {
		log.Fatal(err)
	}
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run programs the router, tries everything it promises, and prints the counters.
func run(ctx context.Context, w io.Writer) error {
	n, err := newNetwork(ctx)
	if err != nil {
		return err
	}
	defer n.lab.Close()
	fw, err := nft.OpenIn(ctx, nft.FD(n.router.FD()), backend.Config{Owner: "router"})
	if err != nil {
		return err
	}
	defer fw.Close()
	if err := fw.Apply(ctx, Rules()); err != nil {
		return err
	}
	for _, try := range n.tries() {
		result, err := try.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", try.name, err)
		}
		fmt.Fprintf(w, "%-54s %s\n", try.name, result)
	}
	now, err := fw.Read(ctx)
	if err != nil {
		return err
	}
	for t := range now.Tables() {
		fmt.Fprintf(w, "\nTable %s\n", t.ID().Name())
		if err := t.List(ctx, w, table.Listing{Verbose: true}); err != nil {
			return err
		}
	}
	return nil
}
