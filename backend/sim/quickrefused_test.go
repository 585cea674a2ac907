package sim_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// What a rule does to the whole of a table is found out from the image too, be it that
// the kernel would take it.
func TestQuickEditsAreRefused(t *testing.T) {
	_, fw := open(t, backend.Config{})
	filter, nat := table.Filter.IPv4(), table.NAT.IPv4()
	deep := []chain.Chain{chain.BuiltIn(chain.Input, chain.Accept), chain.New("a", rule.Jump("b")), chain.New("b"), chain.New("c15")}
	for i := range 15 {
		deep = append(deep, chain.New(fmt.Sprint("c", i), rule.Jump(fmt.Sprint("c", i+1))))
	}
	err := fw.Apply(t.Context(), table.NewRuleset(table.New(filter, deep...), table.New(nat,
		chain.BuiltIn(chain.Prerouting, chain.Accept, rule.Jump("to")), chain.BuiltIn(chain.Postrouting, chain.Accept),
		chain.New("to", rule.New(target.Redirect{})), chain.New("from", rule.New(target.Masquerade{})), chain.New("free"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id    table.ID
		chain string
		rule  rule.Rule
		is    error // nil: it may be
	}{
		{filter, "b", rule.Jump("a"), table.ErrLoop},
		{filter, "b", rule.Goto("b"), table.ErrLoop},
		{filter, "b", rule.Jump("c0"), nil},
		{filter, chain.Input, rule.Jump("c0"), table.ErrDepth},
		{filter, chain.Input, rule.Jump("c1"), nil},
		{filter, "b", rule.Jump("nowhere"), fs.ErrNotExist},
		{filter, "b", rule.Jump(chain.Input), table.ErrBuiltIn},
		{filter, chain.Input, rule.Accept(match.Out("a")), table.ErrInterface},
		{filter, "b", rule.New(target.Masquerade{}), table.ErrPlace},
		{nat, "to", rule.New(target.Masquerade{}), table.ErrPlace},
		{nat, "from", rule.New(target.Masquerade{}, match.In("b")), nil},
		{nat, chain.Prerouting, rule.Jump("from"), table.ErrPlace},
		{nat, chain.Postrouting, rule.Jump("to"), table.ErrPlace},
		{nat, "to", rule.Jump("from"), table.ErrPlace},
		{nat, chain.Postrouting, rule.Jump("from"), nil},
		{nat, chain.Prerouting, rule.Jump("free"), nil},
		{nat, "free", rule.New(target.Redirect{}, match.In("b")), nil},
		{nat, "free", rule.Drop(), table.ErrPlace},
	} {
		err := fw.Edit(t.Context(), func(e *backend.Edit) error {
			e.Chain(c.id, c.chain).Append(c.rule)
			return nil
		})
		if c.is == nil && err != nil || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%v in %v %s: %v, want %v", c.rule, c.id, c.chain, err, c.is)
		}
	}
}
