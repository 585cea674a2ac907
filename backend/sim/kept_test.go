package sim_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/sim"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// An administrator's chain stays, with what it leads to, whatever rulesets say
// later: until an Edit removes it.
func TestKeptChainStays(t *testing.T) {
	for _, owner := range []string{"kept", backend.Iptables} {
		fw, err := sim.New(sim.Config{}).Open(t.Context(), backend.Config{Owner: owner})
		if err != nil {
			t.Fatal(err)
		}
		filter := table.Filter.IPv4()
		input := func(rules ...rule.Rule) chain.Chain { return chain.BuiltIn(chain.Input, chain.Accept, rules...) }
		do := func(rs table.Ruleset) {
			t.Helper()
			if err := fw.Apply(t.Context(), rs); err != nil {
				t.Fatal(err)
			}
			if p, err := fw.Plan(t.Context(), rs); err != nil || !p.Empty() || p.String() != "" {
				t.Errorf("what was applied is not all: %v, %v", p, err)
			}
		}
		edit := func(fn func(*backend.Edit)) {
			t.Helper()
			if err := fw.Edit(t.Context(), func(e *backend.Edit) error { fn(e); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		in := func(want string) {
			t.Helper()
			rs, err := fw.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			x, _ := rs.Table(filter)
			var rules []string
			for c := range x.Chains() {
				for _, r := range c.Rules() {
					rules = append(rules, c.Name()+" "+r.String())
				}
			}
			if got := strings.Join(rules, "\n"); got != want {
				t.Errorf("%s: in force is\n%s\nwant\n%s", owner, got, want)
			}
		}
		do(table.NewRuleset(table.New(filter, input(rule.Jump("ADMIN")), chain.Keep("ADMIN"), chain.New("x", rule.Drop()))))
		edit(func(e *backend.Edit) {
			e.Chain(filter, "ADMIN").Append(rule.Accept(match.Dport(nf.TCP, 1)), rule.Jump("x"))
		})
		const log = "\nADMIN -p tcp -m tcp --dport 1 -j ACCEPT\nADMIN -j x\nx -j DROP"
		in("INPUT -j ADMIN" + log)
		do(table.NewRuleset(table.New(filter, input(rule.Drop()), chain.New("x", rule.Drop()))))
		in("INPUT -j DROP" + log)
		edit(func(e *backend.Edit) { e.Chain(filter, chain.Input).Flush() })
		in(log[1:])
		edit(func(e *backend.Edit) { e.Chain(filter, "ADMIN").Rename("ADMIN2") })
		do(table.NewRuleset(table.New(filter, input(rule.Jump("ADMIN2")), chain.Keep("ADMIN2"), chain.New("x", rule.Drop()))))
		do(table.NewRuleset(table.New(filter, input(), chain.New("x", rule.Drop()))))
		in(strings.ReplaceAll(log, "ADMIN ", "ADMIN2 ")[1:])
		edit(func(e *backend.Edit) { e.Chain(filter, "ADMIN2").Remove() })
		do(table.NewRuleset(table.New(filter, input(), chain.New("x", rule.Drop()))))
		in("x -j DROP")
	}
}
