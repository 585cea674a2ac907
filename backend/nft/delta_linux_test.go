package nft

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/constset"
	"github.com/gatehouse-fw/gatehouse/internal/delta"
	"github.com/gatehouse-fw/gatehouse/internal/delta/deltatest"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// TestChanges: changes keep their word on the kernel.
func TestChanges(t *testing.T) {
	k := connect(t, labtest.Host(t))
	deltatest.Run(t, func() driver.Driver {
		s, err := k.Read(t.Context(), driver.Scope{Bare: true})
		if err != nil {
			t.Fatal(err)
		}
		var ops []driver.Op
		for _, table := range s.Program.Tables {
			ops = append(ops, driver.Op{Kind: driver.DeleteTable, Table: table})
		}
		if err := k.Commit(t.Context(), driver.Batch{Ops: ops}); err != nil {
			t.Fatal(err)
		}
		return open{k}
	})
}

// open is a driver that stays open.
type open struct{ *kernel }

// Close does nothing: the test's end closes it.
func (open) Close() error { return nil }

// TestManyRanges: a set that takes several operations to fill reads back whole.
func TestManyRanges(t *testing.T) {
	k := connect(t, labtest.Host(t))
	list := program.ConstSet{Type: program.TypeIPv4, Len: 4, Interval: true}
	for i := range uint32(5000) {
		list.Elems += program.Net32(0x0a000000+16*i).Data + program.Net32(0x0a000000+16*i+i%15).Data
	}
	want := constset.Lower(&program.Program{Tables: []*program.Table{{Family: program.IP, Name: "t", Chains: []*program.Chain{{
		Name: "INPUT", Base: true, Hook: program.Hook{Type: "filter", Num: 1}, Policy: program.NFAccept,
		Rules: []*program.Rule{{Exprs: []program.Expr{
			program.Payload{Base: program.Network, Offset: 12, Len: 4, Reg: 1}, program.Lookup{Const: list, Reg: 1}}}},
	}}}}})
	for range 2 { // the second time there is nothing to do
		s, err := k.Read(t.Context(), driver.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		stage, turn, _, err := delta.Diff(s.Program, want, delta.Options{MaxBatch: 100_000}).Batches()
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Program.Tables) > 0 && len(turn) > 0 {
			t.Fatalf("it is there, and yet %v", turn[0].Kind)
		}
		for _, ops := range append(stage, turn) {
			if err := k.Commit(t.Context(), driver.Batch{Ops: ops}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := k.Read(t.Context(), driver.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	got := constset.Raise(s.Program).Tables[0].Chains[0].Rules[0].Exprs[1]
	if got != (program.Lookup{Const: list, Reg: 1}) {
		t.Error("the list reads back otherwise")
	}
}
