package drivertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// numbers are the nths of a chain's rules; 0 for one that has none.
func numbers(c *program.Chain) []uint32 {
	var out []uint32
	for _, r := range c.Rules {
		nth, _ := r.Exprs[0].(program.Immediate)
		n, _ := nth.Value.Uint()
		out = append(out, uint32(n))
	}
	return out
}

func testRuleOrder(t *testing.T, h *host) {
	r := suite()
	h.commit(ops(r.add(), r.user("c"), r.append("c", nth(1)), r.append("c", nth(2)), r.append("c", nth(3)))...)
	handle := func(n uint32) uint64 {
		t.Helper()
		c := h.chain(r, "c")
		i := slices.Index(numbers(c), n)
		if i < 0 {
			t.Fatalf("no rule %d among %v", n, numbers(c))
		}
		return c.Rules[i].Handle
	}
	steps := []struct {
		name string
		ops  []driver.Op
		want []uint32
	}{
		{"as they were added", nil, []uint32{1, 2, 3}},
		{"inserted before the same, in order", ops(
			r.insert("c", handle(2), nth(4)), r.insert("c", handle(2), nth(5)), r.append("c", nth(6))),
			[]uint32{1, 4, 5, 2, 3, 6}},
		{"inserted before the first", ops(r.insert("c", handle(1), nth(7))), []uint32{7, 1, 4, 5, 2, 3, 6}},
		{"replaced in place", ops(r.replace("c", handle(2), nth(8))), []uint32{7, 1, 4, 5, 8, 3, 6}},
		{"replaced, then inserted before", ops(
			r.replace("c", handle(2), nth(9)), r.insert("c", handle(2), nth(10))),
			[]uint32{7, 1, 4, 5, 10, 9, 3, 6}},
		{"replaced twice", ops(r.replace("c", handle(1), nth(11)), r.replace("c", handle(1), nth(12))),
			[]uint32{7, 12, 4, 5, 10, 9, 3, 6}},
		{"replaced, then deleted", ops(r.replace("c", handle(1), nth(13)), r.deleteRule("c", handle(1))),
			[]uint32{7, 4, 5, 10, 9, 3, 6}},
		{"deleted, and another inserted in its place", ops(
			r.deleteRule("c", handle(3)), r.insert("c", handle(3), nth(14))),
			[]uint32{7, 4, 5, 10, 9, 14, 6}},
		{"flushed and filled", ops(r.flush("c"), r.append("c", nth(15)), r.append("c", nth(16))), []uint32{15, 16}},
	}
	for _, s := range steps {
		h.commit(s.ops...)
		if got := numbers(h.chain(r, "c")); !slices.Equal(got, s.want) {
			t.Fatalf("%s: %v, want %v", s.name, got, s.want)
		}
	}
}

func testRuleState(t *testing.T, h *host) {
	r := suite()
	count := program.Counter{Packets: 1<<40 + 1, Bytes: 1 << 50}
	kept := &program.Rule{Exprs: []program.Expr{count, accept}, UserData: "\x00\x07comment\x00"}
	long := &program.Rule{Exprs: []program.Expr{accept}, UserData: strings.Repeat("u", 256)}
	h.commit(ops(r.add(), r.user("c"), r.ruleOp(driver.AddRule, "c", kept), r.ruleOp(driver.AddRule, "c", long))...)

	rules := h.chain(r, "c").Rules
	if got, ok := rules[0].Counts(); !ok || got != count {
		t.Errorf("a preset counter reads %v, want %v", got, count)
	}
	if !rules[0].Same(kept) || !rules[1].Same(long) {
		t.Errorf("userdata %q and %q", rules[0].UserData, rules[1].UserData)
	}
	if rules[0].Handle == 0 || rules[0].Handle == rules[1].Handle {
		t.Errorf("handles %d and %d", rules[0].Handle, rules[1].Handle)
	}

	// What a commit does not name stays as it is.
	h.commit(r.insert("c", rules[1].Handle, nth(1)))
	after := h.chain(r, "c").Rules
	if got, _ := after[0].Counts(); got != count || after[0].Handle != rules[0].Handle {
		t.Errorf("beside an insertion: counter %v, handle %d; were %v, %d", got, after[0].Handle, count, rules[0].Handle)
	}
	if after[2].Handle != rules[1].Handle {
		t.Errorf("handle %d, was %d", after[2].Handle, rules[1].Handle)
	}

	changed := &program.Rule{Handle: rules[0].Handle, Exprs: []program.Expr{program.Counter{Packets: 5}, jump("d")}}
	h.commit(ops(r.user("d"), r.ruleOp(driver.ReplaceRule, "c", changed))...)
	got := h.chain(r, "c").Rules[0]
	if n, _ := got.Counts(); got.Handle != rules[0].Handle || n.Packets != 5 || !got.Same(changed) {
		t.Errorf("replaced: %+v, want %+v", got, changed)
	}
	h.refuseFirst(0, busy, r.deleteChain("d"))
	h.commit(r.replace("c", got.Handle, accept), r.deleteChain("d"))
}

// testCopies holds a driver to keeping nothing that was given to it, and giving
// nothing that it keeps.
func testCopies(t *testing.T, h *host) {
	r := suite()
	rule := &program.Rule{Exprs: []program.Expr{nth(1), accept}}
	set := like(ports, exactly(25))
	h.commit(ops(r.add(), r.base("in", 1), r.ruleOp(driver.AddRule, "in", rule),
		r.set(driver.AddSet, set), r.set(driver.AddElements, set))...)
	rule.Exprs[0] = nth(2)
	set.Elements[0] = exactly(80)

	spoil := func(s *driver.State) {
		for _, table := range s.Program.Tables {
			table.Sets[0].Elements[0] = exactly(80)
			table.Sets[0].Name = "spoilt"
			c := table.Chains[0]
			c.Rules[0].Exprs[0] = nth(2)
			c.Rules[0].Handle++
			c.Rules, c.Policy = c.Rules[:0], program.NFDrop
			table.Chains, table.Sets = nil, nil
		}
	}
	spoil(h.read())
	got := h.read().Program.Table(r.Family, r.Name)
	if len(got.Chains) != 1 || len(got.Sets) != 1 {
		t.Fatalf("%d chains and %d sets, want 1 and 1", len(got.Chains), len(got.Sets))
	}
	c, s := got.Chains[0], got.Sets[0]
	if !slices.Equal(numbers(c), []uint32{1}) || c.Policy != program.NFAccept || s.Name != ports.Name ||
		s.Elements[0].Key != exactly(25).Key {
		t.Errorf("what was given or read is what is held: %+v, %+v", c, s)
	}
}
