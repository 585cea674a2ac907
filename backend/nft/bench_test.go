//go:build linux

package nft

import (
	"fmt"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// plain is the rule "-s ADDRESS -p tcp --dport PORT -j ACCEPT" with a counter,
// as measured in the design.
func plain(i int) *program.Rule {
	return &program.Rule{Exprs: []program.Expr{
		program.Payload{Base: program.Network, Offset: 12, Len: 4, Reg: 1},
		program.Cmp{Op: program.Eq, Reg: 1, Value: program.Net32(0x0a000000 | uint32(i))},
		program.Meta{Key: program.MetaL4Proto, Reg: 1},
		program.Cmp{Op: program.Eq, Reg: 1, Value: program.Host8(6)},
		program.Payload{Base: program.Transport, Offset: 2, Len: 2, Reg: 1},
		program.Cmp{Op: program.Eq, Reg: 1, Value: program.Net16(uint16(i))},
		program.Counter{},
		program.Verdict{Kind: program.NFAccept},
	}}
}

// pages is a table of chains of n rules each, with its operations.
func pages(chains, n int) (*program.Table, []driver.Op) {
	t := &program.Table{Family: program.IP, Name: "pages"}
	ops := []driver.Op{{Kind: driver.AddTable, Table: t}}
	for i := range chains {
		c := &program.Chain{Name: fmt.Sprintf("p%d", i)}
		ops = append(ops, driver.Op{Kind: driver.AddChain, Table: t, Chain: c})
		for j := range n {
			ops = append(ops, driver.Op{Kind: driver.AddRule, Table: t, Chain: c, Rule: plain(i*n + j)})
		}
	}
	return t, ops
}

func BenchmarkEncode(b *testing.B) {
	_, ops := pages(1, 100000)
	b.ReportAllocs()
	for b.Loop() {
		batch, err := wire.Encode(driver.Batch{Ops: ops}, 1, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(batch.Bytes())))
	}
}

// BenchmarkCommit is a load of 100,000 rules by Commit, and by sending a batch
// that was written before: what is left is the kernel's.
func BenchmarkCommit(b *testing.B) {
	k := connect(b, labtest.Host(b))
	t, ops := pages(1, 100000)
	remove := func() {
		b.StopTimer()
		err := k.Commit(b.Context(), driver.Batch{Ops: []driver.Op{{Kind: driver.DeleteTable, Table: t}}})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.Run("program", func(b *testing.B) {
		for b.Loop() {
			if err := k.Commit(b.Context(), driver.Batch{Ops: ops}); err != nil {
				b.Fatal(err)
			}
			remove()
		}
	})
	b.Run("bytes", func(b *testing.B) {
		batch, err := wire.Encode(driver.Batch{Ops: ops}, k.control.next(len(ops)+2), nil)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := k.control.send(batch.Bytes()); err != nil {
				b.Fatal(err)
			}
			if f, _, err := k.answers(batch, false); err != nil || len(f) > 0 {
				b.Fatal(f, err)
			}
			remove()
		}
	})
}

func BenchmarkRead(b *testing.B) {
	k := connect(b, labtest.Host(b))
	_, ops := pages(200, 512)
	if err := k.Commit(b.Context(), driver.Batch{Ops: ops}); err != nil {
		b.Fatal(err)
	}
	b.Run("program", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := k.Read(b.Context(), driver.Scope{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bytes", func(b *testing.B) {
		for b.Loop() {
			for i := range 200 {
				err := k.dumps.ask(b.Context(), func(seq uint32) []byte {
					return wire.DumpRules(seq, program.IP, "pages", fmt.Sprintf("p%d", i))
				}, func(wire.Message) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
