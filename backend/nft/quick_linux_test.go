package nft

import (
	"fmt"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/image/imagetest"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// An edit from an image is the edit that has everything read, whatever nft does to the
// table in between.
func TestQuickEdits(t *testing.T) {
	for _, c := range []imagetest.Case{
		{Owner: "x", Table: table.Filter}, {Owner: "x", Table: table.Filter.IPv4(), Seed: 1}, {Owner: backend.Iptables, Table: table.Filter.IPv4(), Seed: 2},
	} {
		t.Run(fmt.Sprintf("%s %v", c.Owner, c.Table), func(t *testing.T) {
			c.Steps = 60
			at := "ip x-filter"
			switch {
			case c.Owner == backend.Iptables:
				at = "ip filter"
			case c.Table == table.Filter:
				at = "inet x-filter"
			}
			host := func() imagetest.Host {
				h := labtest.Host(t)
				tool := oracle.Nft(t, h)
				return imagetest.Host{
					Dial:    func() driver.Driver { return connect(t, h) },
					Foreign: func(n int) { tool.Load(foreign(at, n)) },
				}
			}
			imagetest.Run(t, c, host(), host())
		})
	}
}

// foreign is what somebody does to a table: where pages are is no business of his.
func foreign(at string, n int) string {
	rule := fmt.Sprintf("ip saddr 10.9.0.%d counter drop", n%7)
	return []string{
		fmt.Sprintf("insert rule %s INPUT %s\n", at, rule),
		fmt.Sprintf("add rule %s u %s\n", at, rule),
		fmt.Sprintf("insert rule %s v index %d %s\n", at, n%4, rule),
		fmt.Sprintf("add rule %s v index %d tcp dport { 25, 80 } counter accept\nadd rule %[1]s v counter return\n", at, n%4),
		fmt.Sprintf("flush chain %s v\nadd rule %[1]s v %s\n", at, rule),
		fmt.Sprintf("add chain %s other\nadd rule %[1]s OUTPUT counter jump other\n", at),
		fmt.Sprintf("rename chain %s other another\n", at),
		fmt.Sprintf("add set %s s { type ipv4_addr; }\nadd element %[1]s s { 10.0.0.1 }\n", at),
		"add table ip elsewhere\nadd chain ip elsewhere c\nadd rule ip elsewhere c drop\n",
		fmt.Sprintf("add chain %s OUTPUT { policy accept; }\n", at),
	}[n/7%10]
}

func TestWhatAnEditCosts(t *testing.T) {
	h := labtest.Host(t)
	imagetest.Cost(t, imagetest.Host{Dial: func() driver.Driver { return connect(t, h) }})
}

// Pages that somebody changed so that they are none any more are left to those who read
// everything, as is a table whose pages somebody else goes to.
func TestQuickEditsOfPagesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"insert rule ip x-filter INPUT.p1 counter return",
		"add chain ip x-filter mine\nadd rule ip x-filter mine jump INPUT.p1",
		"add rule ip x-filter INPUT tcp dport 1 jump INPUT.p2",
		"add chain ip x-filter mine\nadd map ip x-filter m { type inet_service : verdict; }\nadd element ip x-filter m { 7 : jump INPUT.p1 }\nadd rule ip x-filter mine tcp dport vmap @m",
	} {
		for _, late := range []bool{false, true} {
			h := labtest.Host(t)
			fw, slow := openFirewall(t, h, backend.Config{Owner: "x"}), openFirewall(t, h, backend.Config{Owner: "x"})
			var rules []rule.Rule
			for i := range 1500 {
				rules = append(rules, ssh(uint16(i+1)))
			}
			id := table.Filter.IPv4()
			if err := fw.Apply(t.Context(), table.NewRuleset(table.New(id, chain.BuiltIn(chain.Input, chain.Drop, rules...)))); err != nil {
				t.Fatal(err)
			}
			count := func(by *backend.Firewall, add rule.Rule) (n int) {
				err := by.Edit(t.Context(), func(e *backend.Edit) error {
					c := e.Chain(id, chain.Input)
					c.Append(add)
					if by == fw {
						c.DeleteAt(1)
						return nil
					}
					n = 0
					for range c.Rules() {
						n++
					}
					return nil
				})
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				return n
			}
			if late {
				count(fw, ssh(2001))
				count(fw, ssh(2002))
			}
			if r := oracle.Nft(t, h).Load(text); r.Exit != 0 {
				t.Fatal(r.Stderr)
			}
			before := count(slow, ssh(2003))
			count(fw, ssh(2004)) // one comes, one goes
			if after := count(slow, ssh(2005)); after != before+1 {
				t.Errorf("%s, late %t: %d rules, then %d", text, late, before, after)
			}
		}
	}
}
