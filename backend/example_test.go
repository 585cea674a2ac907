package backend_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/netip"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/sim"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// mailhost lets mail and web in, for IPv4 and IPv6.
func mailhost() table.Ruleset {
	return table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop,
			rule.Accept(match.In("lo")),
			rule.Accept(match.States(match.Related|match.Established)),
			rule.Accept(match.Dports(nf.TCP, 25, 80)),
			rule.Jump("neighbours", match.Proto(nf.ICMPv6)),
		),
		chain.New("neighbours", rule.NeighborDiscovery()...),
	))
}

// open is a host in memory; a program that means the kernel calls nft.Open.
func open(ctx context.Context) *backend.Firewall {
	fw, err := sim.New(sim.Config{}).Open(ctx, backend.Config{Owner: "mailhost"})
	if err != nil {
		log.Fatal(err)
	}
	return fw
}

func ExampleFirewall_Apply() {
	ctx := context.Background()
	fw := open(ctx)
	defer fw.Close()
	if err := fw.Apply(ctx, mailhost()); err != nil {
		log.Fatal(err)
	}
	now, err := fw.Read(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(now)
	// Output:
	// *filter
	// :INPUT DROP [0:0]
	// :neighbours - [0:0]
	// -A INPUT -i lo -j ACCEPT
	// -A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
	// -A INPUT -p tcp -m multiport --dports 25,80 -j ACCEPT
	// -A INPUT -p ipv6-icmp -j neighbours
	// -A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 133 -m hl --hl-eq 255 -j ACCEPT
	// -A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 134 -m hl --hl-eq 255 -j ACCEPT
	// -A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 135 -m hl --hl-eq 255 -j ACCEPT
	// -A neighbours -p ipv6-icmp -m icmp6 --icmpv6-type 136 -m hl --hl-eq 255 -j ACCEPT
	// COMMIT
}

func ExampleFirewall_Plan() {
	ctx := context.Background()
	fw := open(ctx)
	defer fw.Close()
	if err := fw.Apply(ctx, mailhost()); err != nil {
		log.Fatal(err)
	}

	// The same once more is nothing to do.
	plan, err := fw.Plan(ctx, mailhost())
	fmt.Println(plan.Empty(), err)

	filter, _ := mailhost().Table(table.Filter)
	input, _ := filter.Chain(chain.Input)
	plan, err = fw.Plan(ctx, table.NewRuleset(filter.WithChain(input.With(
		rule.Accept(match.In("lo")),
		rule.Accept(match.Dports(nf.TCP, 25, 80)),
		rule.Accept(match.Dport(nf.TCP, 22), match.Source(netip.MustParsePrefix("192.0.2.0/24"))),
		rule.Jump("neighbours", match.Proto(nf.ICMPv6)),
	))))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(plan)
	fmt.Println(plan.Commit(ctx))
	// Output:
	// true <nil>
	// - filter INPUT 2: -m state --state RELATED,ESTABLISHED -j ACCEPT
	// + filter INPUT 3: -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
	// <nil>
}

func ExampleFirewall_Edit() {
	ctx := context.Background()
	fw := open(ctx)
	defer fw.Close()
	if err := fw.Apply(ctx, mailhost()); err != nil {
		log.Fatal(err)
	}

	ban := rule.Drop(match.Source(netip.MustParseAddr("203.0.113.7")))
	err := fw.Edit(ctx, func(e *backend.Edit) error {
		e.Chain(table.Filter, "banned").Ensure().AppendUnique(ban)
		e.Chain(table.Filter, chain.Input).InsertUnique(1, rule.Jump("banned"))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}

	// A verb that cannot be carried out makes the whole edit fail.
	err = fw.Edit(ctx, func(e *backend.Edit) error {
		banned := e.Chain(table.Filter, "banned")
		banned.Delete(ban)
		banned.Delete(ban)
		return nil
	})
	fmt.Println(errors.Is(err, fs.ErrNotExist), err)

	now, _ := fw.Read(ctx, table.Filter)
	filter, _ := now.Table(table.Filter)
	banned, _ := filter.Chain("banned")
	for n, r := range banned.Rules() {
		fmt.Println(n, r)
	}
	// Output:
	// true delete rule: filter banned (-s 203.0.113.7/32 -j DROP): no such rule: file does not exist
	// 1 -s 203.0.113.7/32 -j DROP
}

func ExampleErrors() {
	ctx := context.Background()
	fw := open(ctx)
	defer fw.Close()
	err := fw.Apply(ctx, table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop,
		rule.Accept(match.In("lo")),
		rule.Accept(match.Out("eth0")),
		rule.Jump("missing"),
	))))
	fmt.Println(errors.Is(err, backend.ErrInvalid))
	for _, e := range backend.Errors(err) {
		fmt.Printf("%v %s rule %d: %s\n", e.Table, e.Chain, e.Rule, e.Hint)
	}
	// Output:
	// true
	// filter INPUT rule 2: -i is for PREROUTING, INPUT and FORWARD, -o for FORWARD, OUTPUT and POSTROUTING
	// filter INPUT rule 3: the chain must be in the same table: chain.New makes it, chain.Keep one that others fill
}
