package nft_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// What Check lets pass Apply programs, and what it names the kernel or this owner
// really does not take: for every example of every extension, in each kind of
// table.
func TestCheckAgreesWithApply(t *testing.T) {
	for _, dir := range []string{"match", "target"} {
		for _, f := range exttest.LoadFrom(t, filepath.Join("../../rule", dir, "testdata")) {
			t.Run(dir+"/"+f.Name, func(t *testing.T) {
				for _, owner := range []string{"agree", backend.Iptables} {
					for _, family := range []nf.Family{nf.IPv4, nf.IPv6, nf.Both} {
						agree(t, f, owner, family)
					}
				}
			})
		}
	}
}

// agree asks for all of a file's examples at once.
func agree(t *testing.T, f exttest.File, owner string, family nf.Family) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	fw, err := nft.OpenIn(ctx, nft.FD(labtest.Host(t).FD()), backend.Config{Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	rs := examples(f, family)
	if rs.Err() != nil {
		t.Fatalf("%s for %v: %v", owner, family, rs.Err())
	}
	err = fw.Check(ctx, rs)
	good := rs
	for _, e := range backend.Errors(err) {
		if e.Rule == 0 || e.Text == "" || e.Table.Name() == "" || e.Hint == "" {
			t.Errorf("%s for %v: %+v", owner, family, e)
		}
		tab, _ := rs.Table(e.Table)
		c, _ := tab.Chain(e.Chain)
		r, ok := c.Rule(e.Rule)
		if !ok {
			t.Fatalf("%s for %v: no such rule: %v", owner, family, e)
		}
		alone := alone(tab, c, r)
		if err := fw.Apply(ctx, alone); err == nil {
			t.Errorf("%s for %v: Check says %v, and Apply programs it", owner, family, e)
		}
		tab, _ = good.Table(e.Table)
		was, _ := tab.Chain(e.Chain)
		good = good.With(tab.WithChain(replaced(was, e.Rule, rule.New(target.None))))
	}
	if err := fw.Remove(ctx); err != nil {
		t.Fatal(err)
	}
	if err := fw.Apply(ctx, good); err != nil {
		t.Errorf("%s for %v: Check let it pass, and Apply says %v", owner, family, err)
	}
}

// examples are a file's rules that a family has, in their tables and chains.
func examples(f exttest.File, family nf.Family) table.Ruleset {
	var rs table.Ruleset
	for _, b := range f.Blocks {
		if _, ok := b.Family.And(family); b.Refused() || !ok {
			continue
		}
		rules, err := rule.ParseLine(b.Args, b.Family)
		if err != nil {
			continue
		}
		id, _ := table.Named(b.Table)
		id = id.For(family)
		for _, r := range rules {
			t, ok := rs.Table(id)
			if !ok {
				t = table.New(id)
			}
			c, ok := t.Chain(b.Chain)
			if !ok {
				c = emptied(b.Chain)
			}
			var list []rule.Rule
			for _, x := range c.Rules() {
				list = append(list, x)
			}
			next := t.WithChain(c.With(append(list, r.In(family))...))
			if to := goes(r); to != "" {
				next = next.WithChain(chain.New(to))
			}
			if table.NewRuleset(next).Err() == nil {
				rs = rs.With(next)
			}
		}
	}
	return rs
}

func emptied(name string) chain.Chain {
	if chain.IsBuiltIn(name) {
		return chain.BuiltIn(name, chain.Accept)
	}
	return chain.New(name)
}

func goes(r rule.Rule) string {
	switch to := r.Target().(type) {
	case target.Jump:
		return string(to)
	case target.Goto:
		return string(to)
	}
	return ""
}

func replaced(c chain.Chain, n int, by rule.Rule) chain.Chain {
	var list []rule.Rule
	for i, r := range c.Rules() {
		if i == n {
			r = by
		}
		list = append(list, r)
	}
	return c.With(list...)
}

// alone is a table with one rule, and the chain that it goes to.
func alone(t table.Table, c chain.Chain, r rule.Rule) table.Ruleset {
	next := table.New(t.ID(), emptied(c.Name()).With(r))
	if to := goes(r); to != "" {
		next = next.WithChain(chain.New(to))
	}
	return table.NewRuleset(next)
}
