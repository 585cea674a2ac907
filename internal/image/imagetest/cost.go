package imagetest

import (
	"fmt"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// pageAt are the handles of the page that rule n is in.
func pageAt(t *testing.T, drv driver.Driver, n int) []uint64 {
	t.Helper()
	got, err := drv.Read(t.Context(), driver.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	in := got.Program.Tables[0]
	for _, r := range in.Chain(chain.Input).Rules {
		for name := range r.Jumps {
			p := in.Chain(name)
			if n > len(p.Rules) {
				n -= len(p.Rules)
				continue
			}
			var out []uint64
			for _, r := range p.Rules {
				out = append(out, r.Handle)
			}
			return out
		}
	}
	t.Fatal("no such rule")
	return nil
}

// Cost edits a long chain: what is read and sent does not depend on its length.
func Cost(t *testing.T, h Host) {
	ctx := t.Context()
	spy := &Spy{Driver: h.Dial()}
	var commits []backend.Commit
	fw := open(t, backend.Config{Owner: "x", Observe: func(c backend.Commit) { commits = append(commits, c) }}, spy)
	id := table.Filter.IPv4()
	rules := many(0, 5000)
	rules[700] = rules[700].WithCounters(nf.Counters{Packets: 7, Bytes: 700})
	start := table.NewRuleset(table.New(id, chain.BuiltIn(chain.Input, chain.Accept, rules...), chain.New("v")))
	if err := fw.Apply(ctx, start); err != nil {
		t.Fatal(err)
	}
	x := rule.Accept(match.In("x"))
	for i, step := range []struct {
		name              string
		do                func(c *backend.ChainEdit)
		parts, ops, wants int64 // readings of some chains, operations, changes
	}{
		{"a first edit reads what it needs", func(c *backend.ChainEdit) { c.Append(x) }, 2, 1, 1},
		{"a second too", func(c *backend.ChainEdit) { c.Delete(x) }, 2, 1, 1},
		{"append", func(c *backend.ChainEdit) { c.Append(x) }, 0, 1, 1},
		{"has", func(c *backend.ChainEdit) { c.Has(x) }, 0, 0, 0},
		{"append what is there", func(c *backend.ChainEdit) { c.AppendUnique(x) }, 0, 0, 0},
		{"delete", func(c *backend.ChainEdit) { c.DeleteIfExists(x) }, 0, 1, 1},
		{"insert", func(c *backend.ChainEdit) { c.Insert(3, x) }, 0, 1, 1},
		{"replace", func(c *backend.ChainEdit) { c.Replace(3, rule.Jump("v")) }, 1, 1, 2},
		{"delete at", func(c *backend.ChainEdit) { c.DeleteAt(3) }, 0, 1, 1},
		{"come and go", func(c *backend.ChainEdit) { c.Append(x); c.Delete(x) }, 0, 0, 0},
		{"fill a page", func(c *backend.ChainEdit) { c.Insert(750, many(20000, 12)...) }, 0, 12, 12},
		// A chain, the jump to it, the rule, and half of the page twice.
		{"one more", func(c *backend.ChainEdit) { c.Insert(750, x) }, 1, 3 + 2*256, 1},
		{"and more", func(c *backend.ChainEdit) { c.Insert(750, x) }, 0, 1, 1},
	} {
		if step.name == "fill a page" { // there are rules enough for this
			fill := 512 - len(pageAt(t, spy, 750))
			step.do = func(c *backend.ChainEdit) { c.Insert(750, many(20000, fill)...) }
			step.ops, step.wants = int64(fill), int64(fill)
		}
		full, parts, ops, n := spy.Full.Load(), spy.Parts.Load(), spy.Ops.Load(), len(commits)
		if err := fw.Edit(ctx, func(e *backend.Edit) error { step.do(e.Chain(id, chain.Input)); return nil }); err != nil {
			t.Fatal(step.name, err)
		}
		if got := fmt.Sprint(spy.Full.Load()-full, spy.Parts.Load()-parts, spy.Ops.Load()-ops); got != fmt.Sprint(0, step.parts, step.ops) {
			t.Errorf("%d %s: read all, some, and sent: %s, want 0 %d %d", i, step.name, got, step.parts, step.ops)
		}
		changes := int64(0)
		for _, c := range commits[n:] {
			changes += int64(c.Changes)
		}
		if changes != step.wants {
			t.Errorf("%d %s: %d changes, want %d", i, step.name, changes, step.wants)
		}
	}
	tb, _ := read(ctx, t, fw).Table(id)
	c, _ := tb.Chain(chain.Input)
	if r, _ := c.Rule(701); r.Counters() != (nf.Counters{Packets: 7, Bytes: 700}) || !r.Equal(rules[700]) {
		t.Errorf("rule 701 is %v with %v", r, r.Counters())
	}
}
