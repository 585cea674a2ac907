package compile_test

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Counters that are set on a table for both families come back as they were set,
// though two tables count them.
func TestSetCountersAreNotCountedTwice(t *testing.T) {
	rules := func(texts ...string) (out []rule.Rule) {
		for i, text := range texts {
			r, err := rule.Parse(text, nf.Both)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, r.WithCounters(nf.Counters{Packets: uint64(i + 1), Bytes: uint64(100 * (i + 1))}))
		}
		return out
	}
	// An option of TCP has no exact form in inet.
	in := chain.BuiltIn(chain.Input, chain.Drop, rules("-p tcp -m tcp --tcp-option 8", "-j ACCEPT", "-6 -j DROP", "-4 -j DROP")...)
	in = in.WithCounters(nf.Counters{Packets: 7, Bytes: 700})
	o := compile.Options{Owner: "x"}
	p, err := compile.Ruleset(table.NewRuleset(table.New(table.Filter, in)), o)
	if err != nil || len(p.Tables) != 2 || p.Tables[0].Family != program.IP {
		t.Fatalf("%v: want an ip and an ip6 table in %+v", err, p)
	}
	rs, _, err := compile.Read(p, o)
	if err != nil {
		t.Fatal(err)
	}
	tab, _ := rs.Table(table.Filter)
	got, _ := tab.Chain(chain.Input)
	if got.Counters() != in.Counters() || got.Len() != 4 {
		t.Errorf("the policy has %v, want %v; %d rules", got.Counters(), in.Counters(), got.Len())
	}
	for i, r := range got.Rules() {
		if want := (nf.Counters{Packets: uint64(i), Bytes: uint64(100 * i)}); r.Counters() != want {
			t.Errorf("rule %d, %v, has %v, want %v", i, r, r.Counters(), want)
		}
	}
}
