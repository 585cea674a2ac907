package drivertest

import (
	"errors"
	"io/fs"
	"reflect"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// testRefusals: every operation on what is not there, or cannot be, alone and
// after one that could be done.
func testRefusals(t *testing.T, open func(t *testing.T) driver.Driver) {
	r, missing := suite(), inTable(program.IP, "missing")
	natAt := func(hook uint32, priority int32) driver.Op {
		return r.baseChain(&program.Chain{
			Name: "n", Base: true, Policy: program.NFAccept,
			Hook: program.Hook{Type: "nat", Num: hook, Priority: priority},
		})
	}
	h := start(t, open)
	h.commit(ops(r.add(), r.base("in", 1), r.user("c"), r.append("c", nth(1)), r.set(driver.AddSet, &ports))...)
	inC := h.chain(r, "c").Rules[0].Handle

	for _, tc := range []struct {
		name string
		op   driver.Op
		want error
		expr int // the expression at fault, -1: none
	}{
		{"delete a missing table", missing.delete(), fs.ErrNotExist, -1},
		{"delete a table of another family", inTable(program.IP6, "suite").delete(), fs.ErrNotExist, -1},
		{"add a chain to a missing table", missing.user("c")[0], fs.ErrNotExist, -1},
		{"delete a missing chain", r.deleteChain("missing"), fs.ErrNotExist, -1},
		{"flush a missing chain", r.flush("missing"), fs.ErrNotExist, -1},
		{"nat has no forward hook", natAt(2, 0), impossible, -1},
		{"nat before connection tracking", natAt(0, -200), impossible, -1},
		{"append to a missing table", missing.append("c", accept), fs.ErrNotExist, -1},
		{"append to a missing chain", r.append("missing", accept), fs.ErrNotExist, -1},
		{"insert before a missing rule", r.insert("c", inC+1000, accept), fs.ErrNotExist, -1},
		{"insert before a rule of another chain", r.insert("in", inC, accept), fs.ErrNotExist, -1},
		{"replace a missing rule", r.replace("c", inC+1000, accept), fs.ErrNotExist, -1},
		{"replace a rule of another chain", r.replace("in", inC, accept), fs.ErrNotExist, -1},
		{"delete a missing rule", r.deleteRule("c", inC+1000), fs.ErrNotExist, -1},
		{"delete a rule of a missing chain", r.deleteRule("missing", inC), fs.ErrNotExist, -1},
		{"jump to a missing chain", r.append("c", nth(2), jump("missing")), fs.ErrNotExist, 1},
		{"go to a missing chain", r.append("c", goTo("missing")), fs.ErrNotExist, 0},
		{"jump to a base chain", r.append("c", nth(2), nth(3), jump("in")), impossible, 2},
		{"replace by a jump to a missing chain", r.replace("c", inC, nth(2), jump("missing")), fs.ErrNotExist, 1},
		{"look up a missing set", r.append("c", loadDport, program.Lookup{Name: "missing", Reg: 1}), fs.ErrNotExist, 1},
		{"add a set to a missing table", missing.set(driver.AddSet, &ports), fs.ErrNotExist, -1},
		{"add to a missing set", r.elements(driver.AddElements, "missing", exactly(1)), fs.ErrNotExist, -1},
		{"delete from a missing set", r.elements(driver.DeleteElements, "missing", exactly(1)), fs.ErrNotExist, -1},
		{"delete a missing element", r.elements(driver.DeleteElements, "ports", exactly(1)), fs.ErrNotExist, -1},
		{"delete a missing set", r.set(driver.DeleteSet, &program.Set{Name: "missing"}), fs.ErrNotExist, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := &host{t, h.Driver}
			before := h.read()
			for at, list := range [][]driver.Op{{tc.op}, {r.append("in", accept), tc.op, r.append("in", accept)}} {
				refused := h.refuse(list...)
				f := refused.Failures[0]
				if len(refused.Failures) != 1 || f.Op != at || !errors.Is(f.Err, tc.want) {
					t.Errorf("%d failures, the first of operation %d: %v; want operation %d: %v",
						len(refused.Failures), f.Op, f.Err, at, tc.want)
				}
				if !errors.Is(refused, tc.want) {
					t.Errorf("%v is not %v", refused, tc.want)
				}
				if f.Expr != tc.expr {
					t.Errorf("expression %d at fault, want %d", f.Expr, tc.expr)
				}
			}
			if after := h.read(); !reflect.DeepEqual(before, after) {
				t.Errorf("refused, but it reads\n%+v\nwas\n%+v", after, before)
			}
		})
	}
}
