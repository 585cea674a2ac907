package drivertest

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

func testScope(t *testing.T, h *host) {
	ours, theirs := inTable(program.Inet, "ours"), inTable(program.IP, "theirs")
	for _, r := range []room{ours, theirs} {
		h.commit(r.add(), r.base("in", 1), r.append("in", accept),
			r.set(driver.AddSet, &ports), r.elements(driver.AddElements, "ports", exactly(25)))
	}
	asked := map[string]program.Family{}
	scope := driver.Scope{Table: func(f program.Family, name string) bool {
		asked[name] = f
		return name == "ours"
	}}
	s, err := h.Read(h.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Program.Tables) != 1 || s.Program.Tables[0].Name != "ours" || len(s.Program.Tables[0].Chains[0].Rules) != 1 {
		t.Errorf("read %+v, want the one table", s.Program)
	}
	if asked["ours"] != program.Inet || asked["theirs"] != program.IP {
		t.Errorf("asked for %v", asked)
	}

	scope.Chain = func(_ *program.Table, c *program.Chain) bool { return c.Name != "in" }
	if s, err = h.Read(h.Context(), scope); err != nil || len(s.Program.Tables[0].Chains[0].Rules) != 0 || len(s.Program.Tables[0].Sets[0].Elements) != 1 {
		t.Errorf("without the rules of a chain: %+v, %v", s, err)
	}

	scope.Bare = true
	s, err = h.Read(h.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	table := s.Program.Tables[0]
	if len(table.Chains) != 1 || len(table.Sets) != 1 || !table.Chains[0].Base || table.Chains[0].Handle == 0 {
		t.Fatalf("bare: %+v, want the chain and the set", table)
	}
	if len(table.Chains[0].Rules) != 0 || len(table.Sets[0].Elements) != 0 {
		t.Errorf("bare: %d rules and %d elements", len(table.Chains[0].Rules), len(table.Sets[0].Elements))
	}

	scope.Table = func(program.Family, string) bool { return false }
	if s, err = h.Read(h.Context(), scope); err != nil || len(s.Program.Tables) != 0 {
		t.Errorf("nothing in scope: %+v, %v", s, err)
	}
}
