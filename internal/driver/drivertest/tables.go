package drivertest

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

func testTables(t *testing.T, h *host) {
	if got := h.read().Program.Tables; len(got) != 0 {
		t.Fatalf("a new host has %d tables", len(got))
	}
	four, six := inTable(program.IP, "suite"), inTable(program.IP6, "suite")
	four.UserData = "\x00\x06owner\x00"
	h.commit(four.add(), six.add(), inTable(program.Inet, "another").add())

	got := h.read().Program.Tables
	var names []string
	for _, table := range got {
		names = append(names, table.Family.String()+" "+table.Name)
		if table.Handle == 0 {
			t.Errorf("%s has no handle", table.Name)
		}
	}
	if want := "ip suite, ip6 suite, inet another"; strings.Join(names, ", ") != want {
		t.Errorf("tables %q, want %q", names, want)
	}
	if got[0].UserData != four.UserData {
		t.Errorf("userdata %q, want %q", got[0].UserData, four.UserData)
	}

	t.Run("adding one that is there changes nothing", func(t *testing.T) {
		again := inTable(program.IP, "suite")
		again.UserData = "\x00\x05else\x00"
		h.commit(again.add())
		table := h.read().Program.Table(program.IP, "suite")
		if table.UserData != four.UserData || table.Handle != got[0].Handle {
			t.Errorf("userdata %q, handle %d; were %q, %d", table.UserData, table.Handle, four.UserData, got[0].Handle)
		}
	})
	t.Run("deleting takes everything along", func(t *testing.T) {
		h.commit(ops(four.user("a", "b"), four.append("a", jump("b")))...)
		h.commit(four.delete())
		if h.read().Program.Table(program.IP, "suite") != nil {
			t.Error("the table is still there")
		}
		h.commit(four.add())
		if n := len(h.read().Program.Table(program.IP, "suite").Chains); n != 0 {
			t.Errorf("a new table has %d chains", n)
		}
	})
}

func testChains(t *testing.T, h *host) {
	r := suite()
	named := r.chainOp(driver.AddChain, "named")
	named.Chain.UserData = "\x80\x03abc"
	h.commit(ops(r.add(), r.user("a"), named, r.base("in", 1), r.append("a", jump("named")))...)

	table := h.read().Program.Table(r.Family, r.Name)
	var names []string
	seen := map[uint64]bool{}
	for _, c := range table.Chains {
		names = append(names, c.Name)
		if c.Handle == 0 || seen[c.Handle] {
			t.Errorf("chain %s has handle %d", c.Name, c.Handle)
		}
		seen[c.Handle] = true
		if base := c.Name == "in"; c.Base != base {
			t.Errorf("chain %s: base %t", c.Name, c.Base)
		}
	}
	if got := strings.Join(names, " "); got != "a named in" {
		t.Errorf("chains %q, want them in the order of their creation", got)
	}
	if got := table.Chain("named").UserData; got != named.Chain.UserData {
		t.Errorf("userdata %q, want %q", got, named.Chain.UserData)
	}

	if a, named := table.Chain("a"), table.Chain("named"); a.Use != 1 || named.Use != 1 {
		t.Errorf("one rule and one jump count as %d and %d uses, want 1 and 1", a.Use, named.Use)
	}

	h.refuseFirst(0, fs.ErrExist, named)
	h.refuseFirst(0, fs.ErrExist, r.base("in", 1))
	h.refuseFirst(0, fs.ErrExist, r.user("in")...)
	h.refuseFirst(0, impossible, r.base("a", 1))   // there, and no base chain
	h.refuseFirst(0, busy, r.deleteChain("named")) // referred to
	h.refuseFirst(0, busy, r.deleteChain("a"))     // not empty
	h.commit(r.flush("named"))                     // nothing to flush
	h.commit(r.flush("a"), r.deleteChain("named"), r.deleteChain("a"), r.deleteChain("in"))
	if got := h.read().Program.Table(r.Family, r.Name).Chains; len(got) != 0 {
		t.Errorf("%d chains are left", len(got))
	}
}

func testPolicies(t *testing.T, h *host) {
	r := suite()
	h.commit(r.add(),
		r.baseChain(&program.Chain{
			Name: "counted", Base: true, Policy: program.NFDrop, Counted: true, Packets: 1 << 40, Bytes: 7,
			Hook: program.Hook{Type: "filter", Num: 1, Priority: -49},
		}),
		r.baseChain(&program.Chain{
			Name: "nat", Base: true, Policy: program.NFAccept, Hook: program.Hook{Type: "nat", Num: 4, Priority: 100},
		}),
		r.baseChain(&program.Chain{
			Name: "route", Base: true, Policy: program.NFAccept, Hook: program.Hook{Type: "route", Num: 3, Priority: -150},
		}))
	want := func(name string, c program.Chain) {
		t.Helper()
		got := *h.chain(r, name)
		c.Name, c.Base, c.Handle, c.Use = name, true, got.Handle, got.Use
		if got.Hook != c.Hook || got.Policy != c.Policy || got.Counted != c.Counted ||
			got.Packets != c.Packets || got.Bytes != c.Bytes {
			t.Errorf("%s: %+v, want %+v", name, got, c)
		}
	}
	counted := program.Chain{
		Hook: program.Hook{Type: "filter", Num: 1, Priority: -49}, Policy: program.NFDrop,
		Counted: true, Packets: 1 << 40, Bytes: 7,
	}
	want("counted", counted)
	want("nat", program.Chain{Hook: program.Hook{Type: "nat", Num: 4, Priority: 100}, Policy: program.NFAccept})
	want("route", program.Chain{Hook: program.Hook{Type: "route", Num: 3, Priority: -150}, Policy: program.NFAccept})

	update := func(c program.Chain) driver.Op {
		c.Base = true
		return driver.Op{Kind: driver.UpdateChain, Table: r.Table, Chain: &c}
	}
	handle := h.chain(r, "counted").Handle
	h.commit(update(program.Chain{Name: "counted", Policy: program.NFAccept, Hook: counted.Hook}))
	counted.Policy = program.NFAccept
	want("counted", counted) // the counters stay

	h.commit(update(program.Chain{Name: "counted", Policy: program.NFDrop, Counted: true, Packets: 3, Bytes: 120}))
	counted.Policy, counted.Packets, counted.Bytes = program.NFDrop, 3, 120
	want("counted", counted)
	h.commit(update(program.Chain{Name: "counted", Policy: program.NFDrop, Counted: true}))
	counted.Packets, counted.Bytes = 0, 0
	want("counted", counted)
	if got := h.chain(r, "counted").Handle; got != handle {
		t.Errorf("handle %d, was %d", got, handle)
	}
	h.commit(update(program.Chain{Name: "nat", Policy: program.NFAccept, Counted: true, Packets: 5})) // switched on later
	if c := h.chain(r, "nat"); !c.Counted || c.Packets != 5 {
		t.Errorf("counters switched on: %+v", c)
	}

	h.commit(r.user("user")...)
	h.refuseFirst(0, impossible, update(program.Chain{Name: "user", Policy: program.NFDrop}))
	h.refuseFirst(0, impossible, update(program.Chain{Name: "missing", Policy: program.NFDrop}))
}

func testRenaming(t *testing.T, h *host) {
	r := suite()
	h.commit(ops(r.add(), r.user("a", "b", "c"), r.append("a", jump("b")), r.append("b", nth(1)))...)
	b, c := h.chain(r, "b"), h.chain(r, "c")

	h.commit(r.rename(b.Handle, "b", "bee"))
	got := h.chain(r, "bee")
	if got.Handle != b.Handle || len(got.Rules) != 1 || got.Rules[0].Handle != b.Rules[0].Handle {
		t.Errorf("renamed: %+v, was %+v", got, b)
	}
	if e := h.chain(r, "a").Rules[0].Exprs[0]; e != jump("bee") {
		t.Errorf("what jumped to it says %v", e)
	}

	h.refuseFirst(0, fs.ErrExist, r.rename(b.Handle, "bee", "c"))
	h.refuseFirst(0, fs.ErrExist, r.rename(b.Handle, "bee", "bee"))
	h.refuseFirst(0, fs.ErrNotExist, r.rename(b.Handle+1000, "bee", "d"))
	h.refuseFirst(1, fs.ErrExist, r.rename(c.Handle, "c", "d"), r.rename(b.Handle, "bee", "d"))
	h.refuseFirst(1, fs.ErrExist, r.rename(c.Handle, "c", "d"), r.rename(b.Handle, "bee", "c"))
	if err := h.refuse(r.rename(b.Handle, "bee", "d"), r.append("d", accept)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the new name before the commit: %v", err)
	}

	// A chain can take the name of one that goes.
	h.commit(r.deleteChain("c"), r.rename(b.Handle, "bee", "c"), r.append("bee", nth(2)))
	if got := h.chain(r, "c"); got.Handle != b.Handle || len(got.Rules) != 2 {
		t.Errorf("renamed over a deleted chain: %+v", got)
	}
}
