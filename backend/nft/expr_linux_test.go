package nft_test

import (
	"testing"

	"github.com/google/nftables/expr"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/table"
)

// An expression of google/nftables goes into a rule; what we know comes back as
// what it means, the rest as it was.
func TestExpressionsOfTheField(t *testing.T) {
	var raws []match.Match
	for _, e := range []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{6}},
		&expr.Numgen{Register: 1, Modulus: 4, Type: 0},
	} {
		raw, err := nft.Expr(e)
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, raw)
	}
	if _, err := nft.Expr(nil); err == nil {
		t.Error("nil was taken")
	}
	fw := firewall(t, labtest.Host(t), backend.Config{Owner: "x"})
	rs := table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Accept, rule.Drop(raws...))))
	if err := fw.Apply(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	got, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tb, _ := got.Table(table.Filter.IPv4())
	c, _ := tb.Chain(chain.Input)
	r, _ := c.Rule(1)
	if p, ok := rule.Find[match.Protocol](r); !ok || p.Text() != "-p tcp" || !r.Opaque() {
		t.Errorf("read as %v", r)
	}
	if p, err := fw.Plan(t.Context(), rs); err != nil || !p.Empty() {
		t.Errorf("left to do: %v, %v", p, err)
	}
}
