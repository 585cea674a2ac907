package set_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/sim"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// Bans that expire, of networks of either family.
func Example() {
	bans := set.Set{Name: "bans", Key: set.Nets, Timeout: 10 * time.Minute}
	ctx := context.Background()
	fw, err := sim.New(sim.Config{}).Open(ctx, backend.Config{Owner: "doorman"})
	if err != nil {
		log.Fatal(err)
	}
	defer fw.Close()
	err = fw.Apply(ctx, table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Accept, rule.Drop(bans.Contains(match.SrcAddr))),
	).WithSets(bans)))
	if err != nil {
		log.Fatal(err)
	}
	lifted := 0
	err = fw.Edit(ctx, func(e *backend.Edit) error {
		s := e.Set(table.Filter, bans)
		s.Add(set.Net(netip.MustParsePrefix("198.51.100.0/24")).For(time.Hour).Comment("sshd"))
		s.Add(set.Net(netip.MustParseAddr("2001:db8::1")))
		lifted = s.Remove(set.Net(netip.MustParseAddr("198.51.100.7")), set.Net(netip.MustParseAddr("192.0.2.1")))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("lifted", lifted)
	for e, err := range fw.Elements(ctx, table.Filter, bans) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(e, e.Text())
	}
	// Output:
	// lifted 1
	// 198.51.100.0-198.51.100.6 sshd
	// 198.51.100.8-198.51.100.255 sshd
	// 2001:db8::1
}
