package nft

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// A change too large for one transaction is looked at in parts, and all of it, with
// a socket such as an ordinary user has.
func TestCheckInParts(t *testing.T) {
	k := connect(t, labtest.Host(t))
	k.maxBatch = 212960
	fw, err := backend.New(backend.Config{Owner: "large"}, k)
	if err != nil {
		t.Fatal(err)
	}
	var rules []rule.Rule
	for i := range 3000 {
		r := rule.Drop(match.Dport(nf.TCP, uint16(i)+1), match.Comment(strings.Repeat("x", 100)))
		switch i % 1000 {
		case 998:
			r = rule.Drop(match.Raw{Expr: "nosuch"})
		case 999:
			r = rule.Accept(match.XT{Ext: "nosuch", Info: "12345678"})
		}
		rules = append(rules, r)
	}
	rs := table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, rules...)))
	es := backend.Errors(fw.Check(t.Context(), rs))
	if len(es) != 6 {
		t.Fatalf("%d errors: %v", len(es), es)
	}
	for i, e := range es {
		want, feature := 1000*(i/2)+999+i%2, "nft_nosuch"
		if i%2 == 1 {
			feature = "xt_nosuch"
		}
		if e.Rule != want || e.Feature != feature {
			t.Errorf("rule %d lacks %s, want %d and %s", e.Rule, e.Feature, want, feature)
		}
	}
	if gen, err := k.Generation(t.Context()); err != nil || gen != 1 {
		t.Errorf("generation %d, %v", gen, err)
	}
}
