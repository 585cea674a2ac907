package sim

import (
	"context"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// everything is the scope of all tables.
var everything driver.Scope

// furnished is a host with a table that operations find something to do in.
func furnished() *conn {
	c := New(Config{}).dial()
	if err := c.Commit(context.Background(), furnishing()); err != nil {
		panic(err) // of a test that was written wrong
	}
	return c
}

// furnishing makes that table.
func furnishing() driver.Batch {
	x := &program.Table{Family: program.IP, Name: "x"}
	ops := []driver.Op{
		{Kind: driver.AddTable, Table: x},
		{Kind: driver.AddSet, Table: x, Set: &program.Set{Name: "s", KeyType: 13, KeyLen: 2, Size: 2, Flags: program.SetConstant}},
		{Kind: driver.AddSet, Table: x, Set: &program.Set{Name: "m", KeyType: 13, KeyLen: 2, Flags: program.SetMap, DataType: verdictData}},
		{Kind: driver.AddChain, Table: x, Chain: &program.Chain{
			Name: "in", Base: true, Policy: program.NFAccept, Hook: program.Hook{Type: "filter", Num: 1},
		}},
	}
	for _, name := range []string{"a", "b", "c"} {
		ops = append(ops, driver.Op{Kind: driver.AddChain, Table: x, Chain: &program.Chain{Name: name}})
	}
	return driver.Batch{Ops: ops}
}

// operations draws operations on few names, so that they meet; handles are now
// and then those of what is there.
func operations(held *program.Program) *rapid.Generator[driver.Op] {
	return rapid.Custom(func(t *rapid.T) driver.Op {
		kind := rapid.SampledFrom([]driver.OpKind{
			driver.AddRule, driver.AddRule, driver.AddRule, driver.AddElements, driver.AddElements, driver.ReplaceRule,
			driver.AddChain, driver.AddRule, driver.DeleteRule, driver.UpdateChain, driver.FlushChain, driver.DeleteElements,
			driver.DeleteChain, driver.RenameChain, driver.AddSet, driver.DeleteSet, driver.AddTable,
		}).Draw(t, "kind")
		if rarely(t) {
			kind = rapid.SampledFrom([]driver.OpKind{driver.DeleteTable, 0, driver.RenameChain + 1}).Draw(t, "rare kind")
		}
		op := driver.Op{
			Kind:  kind,
			Table: &program.Table{Family: program.IP, Name: rapid.SampledFrom([]string{"x", "x", "x", "x", "x", "y"}).Draw(t, "table")},
			To:    chainName(t),
		}
		op.Chain = drawChain(t)
		op.Set = drawSet(t)
		op.Rule = &program.Rule{Exprs: slices.Concat(rapid.SliceOfN(rapid.Custom(drawExprs), 0, 3).Draw(t, "exprs")...)}
		handles(t, held, &op)
		if rarely(t) {
			op.Chain, op.Rule, op.Set = nil, nil, nil
		}
		return op
	})
}

// rarely is true once in a while. The number is one that rapid has no liking for.
func rarely(t *rapid.T) bool { return rapid.IntRange(0, 63).Draw(t, "rarely") == 43 }

func chainName(t *rapid.T) string {
	if rarely(t) {
		return ""
	}
	return rapid.SampledFrom([]string{"a", "b", "c", "d", "in"}).Draw(t, "chain")
}

func drawChain(t *rapid.T) *program.Chain {
	c := &program.Chain{Name: chainName(t)}
	if c.Base = c.Name == "in"; c.Base {
		c.Hook = program.Hook{Type: "filter", Num: rapid.Uint32Range(1, 5).Draw(t, "hook")}
		c.Policy = program.VerdictKind(rapid.Int32Range(0, 1).Draw(t, "policy"))
		c.Counted = rapid.Bool().Draw(t, "counted")
	}
	return c
}

func drawSet(t *rapid.T) *program.Set {
	s := &program.Set{Name: "s", KeyType: 13, KeyLen: 2, Size: 2, Flags: program.SetConstant}
	if rapid.Bool().Draw(t, "map") {
		s = &program.Set{Name: "m", KeyType: 13, KeyLen: 2, Flags: program.SetMap, DataType: verdictData}
	}
	for range rapid.IntRange(1, 2).Draw(t, "elements") {
		e := program.Element{Key: program.Net16(rapid.Uint16Range(1, 3).Draw(t, "key")).Data}
		if s.Name == "m" {
			e.Verdict = drawVerdict(t)
		}
		s.Elements = append(s.Elements, e)
	}
	return s
}

func drawVerdict(t *rapid.T) program.Verdict {
	v := program.Verdict{Kind: rapid.SampledFrom([]program.VerdictKind{
		program.NFAccept, program.NFTReturn, program.NFTJump, program.NFTJump, program.NFTGoto,
	}).Draw(t, "verdict")}
	if v.Kind == program.NFTJump || v.Kind == program.NFTGoto || rarely(t) {
		v.Chain = chainName(t)
	}
	return v
}

// drawExprs draws an expression, with one that loads what it looks up.
func drawExprs(t *rapid.T) []program.Expr {
	lookup := func(l program.Lookup) []program.Expr {
		l.Reg = 1
		return []program.Expr{program.Payload{Base: program.Transport, Offset: 2, Len: 2, Reg: 1}, l}
	}
	switch rapid.IntRange(0, 6).Draw(t, "expr") {
	case 0, 1:
		return []program.Expr{drawVerdict(t)}
	case 2:
		return lookup(program.Lookup{Name: "s"})
	case 3:
		return lookup(program.Lookup{Name: "m", Map: true})
	case 4:
		return lookup(program.Lookup{Const: program.ConstSet{Type: program.TypeService, Len: 2, Elems: "xy"}})
	case 5:
		name := rapid.SampledFrom([]string{"comment", "gatehouse"}).Draw(t, "xt")
		return []program.Expr{program.XTMatch{Name: name, Info: strings.Repeat("\x00", 256)}}
	}
	return []program.Expr{program.Counter{Packets: rapid.Uint64Range(0, 9).Draw(t, "packets")}}
}

// handles gives an operation those of what its table and chain have.
func handles(t *rapid.T, held *program.Program, op *driver.Op) {
	table := held.Table(op.Table.Family, op.Table.Name)
	if table == nil {
		return
	}
	if i := slices.IndexFunc(table.Chains, func(c *program.Chain) bool { return c.Name == op.Chain.Name }); i >= 0 {
		c := table.Chains[i]
		op.Chain.Handle = c.Handle
		if len(c.Rules) > 0 {
			op.Rule.Handle = rapid.SampledFrom(c.Rules).Draw(t, "rule").Handle
			if rapid.Bool().Draw(t, "before") {
				op.Before = rapid.SampledFrom(c.Rules).Draw(t, "place").Handle
			}
		}
	}
}
