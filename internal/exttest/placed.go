package exttest

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// placed says what is wrong with rules in the block's table and chain.
func (b *Block) placed(rs []rule.Rule) error {
	t, err := tableOf(b.Table, b.Family, map[string][]rule.Rule{b.Chain: rs})
	if err != nil {
		return fmt.Errorf("%v: %w", b, err)
	}
	return table.NewRuleset(t).Err()
}

// tableOf makes a table whose chains have these rules, with the chains that they
// go to.
func tableOf(name string, f nf.Family, rules map[string][]rule.Rule) (table.Table, error) {
	id, ok := table.Named(name)
	if !ok {
		return table.Table{}, fmt.Errorf("no table: %q", name)
	}
	t := table.New(id.For(f))
	for name, rs := range rules {
		for _, r := range rs {
			if to := destination(r.Target()); to != "" {
				t = t.WithChain(chain.New(to))
			}
		}
		if chain.IsBuiltIn(name) {
			t = t.WithChain(chain.BuiltIn(name, chain.Accept, rs...))
		} else {
			t = t.WithChain(chain.New(name, rs...))
		}
	}
	return withOwnSets(t), nil
}

// destination is the chain that a target goes to.
func destination(t target.Target) string {
	switch t := t.(type) {
	case target.Jump:
		return string(t)
	case target.Goto:
		return string(t)
	}
	return ""
}
