package drivertest

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// ladder is n chains, c1 to cn, each of which goes to the next.
func ladder(r room, n int, step func(string) program.Expr) []driver.Op {
	var out []driver.Op
	for i := 1; i <= n; i++ {
		out = append(out, r.user(fmt.Sprintf("c%d", i))...)
	}
	for i := 1; i < n; i++ {
		out = append(out, r.append(fmt.Sprintf("c%d", i), step(fmt.Sprintf("c%d", i+1))))
	}
	return out
}

func testDepth(t *testing.T, h *host) {
	for _, step := range []struct {
		name string
		expr func(string) program.Expr
	}{{"jump", jump}, {"goto", goTo}} {
		t.Run(step.name, func(t *testing.T) {
			h := &host{t, h.Driver}
			r := inTable(program.IP, step.name)
			h.commit(ops(r.add(), r.base("in", 1), ladder(r, 15, step.expr), r.append("in", step.expr("c1")))...)

			below := ops(r.user("c16"), r.append("c16", accept), r.append("c15", step.expr("c16")))
			h.refuseFirst(2, tooDeep, below...)
			if n := len(h.chain(r, "c15").Rules); n != 0 {
				t.Errorf("refused, but c15 has %d rules", n)
			}
			// Another way in, one chain further down, makes room for one more.
			h.commit(ops(r.flush("in"), r.append("in", step.expr("c2")), below)...)
			h.refuseFirst(0, tooDeep, r.append("in", step.expr("c1")))
		})
	}
}

func testLoops(t *testing.T, h *host) {
	r := suite()
	h.commit(ops(r.add(), r.base("in", 1), r.user("a", "b", "c"), r.append("a", jump("b")))...)

	// Where no base chain leads to it a loop is not looked at.
	h.commit(r.append("b", jump("c")), r.append("c", goTo("a")), r.append("c", jump("c")))
	h.refuseFirst(0, tooDeep, r.append("in", jump("b")))
	h.refuseFirst(1, tooDeep, r.append("in", accept), r.append("in", goTo("a")))

	// A loop that is gone by the end of the batch does not count.
	c := h.chain(r, "c")
	h.commit(r.append("in", jump("a")), r.deleteRule("c", c.Rules[0].Handle), r.deleteRule("c", c.Rules[1].Handle))
	h.refuseFirst(1, tooDeep, r.append("c", accept), r.append("c", jump("b")))
	h.refuseFirst(0, tooDeep, r.append("b", jump("b")))

	h.refuseFirst(0, impossible, r.append("a", jump("in")))
	h.refuseFirst(0, fs.ErrNotExist, r.append("a", jump("missing")))

	// Many ways are not long ways.
	wide := ladder(r, 14, jump)
	for i := 1; i < 14; i++ {
		for range 8 {
			wide = append(wide, r.append(fmt.Sprintf("c%d", i), jump(fmt.Sprintf("c%d", i+1))))
		}
	}
	h.commit(ops(wide, r.append("in", jump("c1")))...)
}
