package sim

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// TestTransactions commits batches of random operations, good and bad: what is
// refused changes nothing, what is accepted leaves tables that hold together.
func TestTransactions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := furnished()
		before := read(t, c)
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			ops := rapid.SliceOfN(operations(before.Program), 0, 4).Draw(t, "ops")
			err := c.Commit(context.Background(), driver.Batch{Ops: ops})
			after := read(t, c)
			if err == nil {
				if after.Generation > before.Generation+1 {
					t.Fatalf("one commit moved the generation from %d to %d", before.Generation, after.Generation)
				}
				if after.Generation == before.Generation && !cmp.Equal(before, after) {
					t.Fatalf("changed within generation %d", after.Generation)
				}
			} else {
				checkRefusal(t, err, len(ops))
				if d := cmp.Diff(before, after); d != "" {
					t.Fatalf("refused with %v, but changed:\n%s", err, d)
				}
			}
			for _, table := range after.Program.Tables {
				checkTable(t, table)
			}
			before = after
		}
	})
}

// TestBatchesAreSteps: a batch that is accepted does what its operations do one
// by one. Renaming is left out: the new name is for the next transaction.
func TestBatchesAreSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, many := furnished(), furnished()
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			op := operations(read(t, one).Program).Filter(func(op driver.Op) bool { return op.Kind != driver.RenameChain })
			ops := rapid.SliceOfN(op, 1, 4).Draw(t, "ops")
			if one.Commit(context.Background(), driver.Batch{Ops: ops}) != nil {
				continue
			}
			for _, op := range ops {
				if many.Commit(context.Background(), driver.Batch{Ops: []driver.Op{op}}) != nil {
					return // a loop on the way, or a place that a deleted rule left
				}
			}
			if d := cmp.Diff(read(t, one).Program, read(t, many).Program); d != "" {
				t.Fatalf("at once and step by step differ:\n%s", d)
			}
		}
	})
}

func read(t *rapid.T, c *conn) *driver.State {
	s, err := c.Read(context.Background(), everything)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkRefusal: a refusal says of which operations it is, in order.
func checkRefusal(t *rapid.T, err error, ops int) {
	var refused *driver.CommitError
	if !errors.As(err, &refused) || len(refused.Failures) == 0 {
		t.Fatalf("%v is no *driver.CommitError with failures", err)
	}
	last := -1
	for _, f := range refused.Failures {
		if f.Op <= last || f.Op >= ops || f.Err == nil {
			t.Fatalf("failure %+v after operation %d of %d", f, last, ops)
		}
		last = f.Op
	}
}

// checkTable: everything that is referred to is there, nothing has another's
// handle, and no path is too long.
func checkTable(t *rapid.T, table *program.Table) {
	refs := map[string]uint32{}
	handles := map[uint64]string{}
	unique := func(handle uint64, what string) {
		if other, taken := handles[handle]; taken || handle == 0 {
			t.Fatalf("%s and %s have handle %d", what, other, handle)
		}
		handles[handle] = what
	}
	for _, c := range table.Chains {
		unique(c.Handle, "chain "+c.Name)
		refs[c.Name] += uint32(len(c.Rules))
		for i, r := range c.Rules {
			unique(r.Handle, fmt.Sprintf("rule %d of chain %s", i, c.Name))
			for to := range r.Jumps {
				refs[to]++
			}
			for _, e := range r.Exprs {
				if l, ok := e.(program.Lookup); ok && l.Name != "" && table.Set(l.Name) == nil {
					t.Fatalf("chain %s looks into set %s, which is not there", c.Name, l.Name)
				}
			}
		}
	}
	for _, s := range table.Sets {
		unique(s.Handle, "set "+s.Name)
		for _, e := range s.Elements {
			if e.Verdict.Chain != "" {
				refs[e.Verdict.Chain]++
			}
		}
	}
	for name, n := range refs {
		if c := table.Chain(name); c == nil || c.Base && n != uint32(len(c.Rules)) {
			t.Fatalf("chain %s is gone to, and not there or a base chain", name)
		}
	}
	for _, c := range table.Chains {
		if c.Use != refs[c.Name] {
			t.Fatalf("chain %s is used %d times, says %d", c.Name, refs[c.Name], c.Use)
		}
		if c.Base {
			checkDepth(t, table, c, 0)
		}
	}
}

func checkDepth(t *rapid.T, table *program.Table, c *program.Chain, depth int) {
	if depth > 15 {
		t.Fatalf("chain %s lies %d chains below a base chain", c.Name, depth)
	}
	for _, r := range c.Rules {
		for to := range r.Jumps {
			checkDepth(t, table, table.Chain(to), depth+1)
		}
		for _, e := range r.Exprs {
			if l, ok := e.(program.Lookup); ok && l.Map {
				for _, e := range table.Set(l.Name).Elements {
					if e.Verdict.Chain != "" {
						checkDepth(t, table, table.Chain(e.Verdict.Chain), depth+1)
					}
				}
			}
		}
	}
}
