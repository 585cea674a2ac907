package nft_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// A table that comes to have very many port lists shares them, and one that has
// no longer many does not; rules that stay keep their counts either way.
func TestPortListsAreShared(t *testing.T) {
	host := labtest.Host(t)
	fw := firewall(t, host, backend.Config{Owner: "lists"})
	lists := func(n int) table.Ruleset {
		var rules []rule.Rule
		for i := range n {
			r, err := rule.Parse(fmt.Sprintf("-s 10.0.%d.%d/32 -p tcp -m multiport --dports %d,3000 -j ACCEPT", i>>8, i&255, 1000+i%10), nf.IPv4)
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, r)
		}
		if n > 0 {
			rules[0] = rules[0].WithCounters(nf.Counters{Packets: 7, Bytes: 700})
		}
		return table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, rules...)))
	}
	for _, c := range []struct{ rules, sets int }{{200, 0}, {300, 10}, {250, 0}} {
		rs := lists(c.rules)
		apply(t, fw, rs)
		got, err := fw.Read(t.Context())
		if err != nil || !got.Equal(rs) {
			t.Errorf("%d rules: read %v, %v", c.rules, got.Len(), err)
		}
		tab, _ := got.Table(table.Filter.IPv4())
		in, _ := tab.Chain(chain.Input)
		if r, _ := in.Rule(1); r.Counters() != (nf.Counters{Packets: 7, Bytes: 700}) {
			t.Errorf("%d rules: the first counts %v", c.rules, r.Counters())
		}
		if n := strings.Count(oracle.Nft(t, host).List(), "set ports_"); n != c.sets {
			t.Errorf("%d rules: %d sets, want %d", c.rules, n, c.sets)
		}
	}
}
