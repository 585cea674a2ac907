package drivertest

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// generation reads it both ways, which must agree.
func (h *host) generation() uint32 {
	h.Helper()
	n, err := h.Generation(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	if read := h.read().Generation; read != n || n == 0 {
		h.Errorf("generation %d, but the tables were read in %d", n, read)
	}
	return n
}

func testGeneration(t *testing.T, h *host) {
	r := suite()
	for i, s := range []struct {
		name  string
		ops   []driver.Op
		moves bool
	}{
		{"add a table", ops(r.add()), true},
		{"nothing", nil, false},
		{"several operations", ops(r.user("a", "b"), r.append("a", jump("b"))), true},
		{"add a set", ops(r.set(driver.AddSet, &ports)), true},
		{"add an element", ops(r.elements(driver.AddElements, "ports", exactly(25))), true},
		{"flush", ops(r.flush("a")), true},
	} {
		before := h.generation()
		h.commit(s.ops...)
		want := before
		if s.moves {
			want++
		}
		if got := h.generation(); got != want {
			t.Errorf("%d, %s: generation %d, want %d", i, s.name, got, want)
		}
	}
	before := h.generation()
	h.refuse(r.append("missing", accept))
	if got := h.generation(); got != before {
		t.Errorf("a refused commit moved the generation from %d to %d", before, got)
	}
}

func testConflict(t *testing.T, h *host) {
	r := suite()
	h.commit(ops(r.add(), r.user("c"))...)
	read := h.read()
	if err := h.Commit(h.Context(), driver.Batch{Generation: read.Generation, Ops: ops(r.append("c", nth(1)))}); err != nil {
		t.Fatalf("as read: %v", err)
	}
	before := h.read()
	// The second operation is wrong too, but nobody gets to look at it.
	err := h.Commit(h.Context(), driver.Batch{
		Generation: read.Generation, Ops: ops(r.append("c", nth(2)), r.append("missing", nth(3))),
	})
	if !errors.Is(err, driver.ErrConflict) {
		t.Errorf("a generation late: %v, want ErrConflict", err)
	}
	if after := h.read(); !reflect.DeepEqual(before, after) {
		t.Errorf("a conflict, but it reads %+v, was %+v", after, before)
	}
	h.commit(r.append("c", nth(4))) // generation 0 asks for none
	if got := numbers(h.chain(r, "c")); !slices.Equal(got, []uint32{1, 4}) {
		t.Errorf("rules %v, want 1 and 4", got)
	}
}

// testAllOrNothing: a bad operation at any place of a batch that does one of
// each kind leaves everything as it was.
func testAllOrNothing(t *testing.T, h *host) {
	r, other := suite(), inTable(program.IP6, "other")
	h.commit(ops(r.add(), r.base("in", 1), r.user("a", "b", "gone"), r.append("a", nth(1)), r.append("a", nth(2)),
		r.set(driver.AddSet, &ports), r.elements(driver.AddElements, "ports", exactly(25), exactly(80)), other.add())...)
	a, b := h.chain(r, "a"), h.chain(r, "b")
	policy := r.chainOp(driver.UpdateChain, "in")
	policy.Chain.Base, policy.Chain.Policy, policy.Chain.Counted = true, program.NFDrop, true
	good := ops(
		inTable(program.Inet, "new").add(), policy, r.append("a", jump("b")), r.insert("a", a.Rules[0].Handle, nth(3)),
		r.replace("a", a.Rules[0].Handle, nth(4)), r.deleteRule("a", a.Rules[1].Handle), r.user("new"),
		r.deleteChain("gone"), r.flush("b"), r.elements(driver.DeleteElements, "ports", exactly(80)),
		r.elements(driver.AddElements, "ports", exactly(22)), r.set(driver.AddSet, &marks),
		r.rename(b.Handle, "b", "bee"), other.delete(),
	)
	before := h.read()
	for at := range len(good) + 1 {
		h.refuseFirst(at, fs.ErrNotExist, slices.Insert(slices.Clone(good), at, r.append("missing", accept))...)
		if after := h.read(); !reflect.DeepEqual(before, after) {
			t.Fatalf("operation %d was refused, but it reads\n%+v\nwas\n%+v", at, after, before)
		}
	}
	h.commit(good...)
	if got := numbers(h.chain(r, "a")); !slices.Equal(got, []uint32{3, 4, 0}) || h.generation() != before.Generation+1 {
		t.Errorf("the same without it: rules %v", got)
	}
}

func testEveryFailure(t *testing.T, h *host) {
	r := suite()
	h.commit(ops(r.add(), r.user("c"))...)
	refused := h.refuse(
		r.append("c", accept),
		r.append("missing", accept),            // 1
		r.append("c", nth(1), jump("nowhere")), // 2
		r.user("d")[0],
		r.append("d", accept),
		r.user("c")[0],          // 5
		r.deleteRule("c", 1000), // 6
		r.deleteChain("d"),      // 7: has a rule by now
	)
	want := []error{1: fs.ErrNotExist, 2: fs.ErrNotExist, 5: fs.ErrExist, 6: fs.ErrNotExist, 7: busy}
	got := make([]error, len(want))
	last := -1
	for _, f := range refused.Failures {
		if f.Op <= last || f.Op >= len(got) {
			t.Fatalf("failure of operation %d after one of %d", f.Op, last)
		}
		last = f.Op
		got[f.Op] = f.Err
	}
	for i := range want {
		if !errors.Is(got[i], want[i]) {
			t.Errorf("operation %d: %v, want %v", i, got[i], want[i])
		}
	}
}
