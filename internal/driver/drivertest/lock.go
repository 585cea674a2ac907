package drivertest

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// testLock: a locked table is seen by everybody and changed by nobody, and goes
// when it is unlocked.
func testLock(t *testing.T, h *host) {
	r := inTable(program.IP, "suite-live-1")
	before := h.generation()
	unlock, err := h.Lock(h.Context(), &program.Table{Family: r.Family, Name: r.Name, UserData: "\x00\x02x\x00"})
	if errors.Is(err, driver.ErrUnsupported) {
		labtest.Require(t, "tables with an owner", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := h.generation(); got != before+1 {
		t.Errorf("generation %d after %d", got, before)
	}
	p := h.read().Program
	if len(p.Tables) != 1 || p.Tables[0].Name != r.Name || p.Tables[0].UserData != "\x00\x02x\x00" || p.Tables[0].Flags != program.TableOwned {
		t.Fatalf("%+v", p.Tables)
	}
	h.refuseFirst(0, fs.ErrPermission, r.add())
	h.refuseFirst(0, fs.ErrPermission, r.user("c")...)
	h.refuseFirst(0, fs.ErrPermission, r.set(driver.AddSet, &program.Set{Name: "s", KeyType: uint32(program.TypeIPv4), KeyLen: 4}))
	h.refuseFirst(0, fs.ErrPermission, r.delete())
	other := suite()
	h.commit(other.add()) // what is beside it is nobody's
	h.commit(other.delete())

	before = h.generation()
	for range 2 {
		if err := unlock(); err != nil {
			t.Error(err)
		}
	}
	if got := h.generation(); got != before+1 {
		t.Errorf("unlocked: generation %d after %d", got, before)
	}
	if p := h.read().Program; len(p.Tables) != 0 {
		t.Errorf("%+v", p.Tables)
	}
}
