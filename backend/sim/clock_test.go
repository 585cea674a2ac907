package sim

import (
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// The clock stands still unless it is moved, does not go back, and what a reader
// holds does not change with it.
func TestAdvance(t *testing.T) {
	h := New(Config{})
	c := h.dial()
	s := &program.Set{Name: "s", KeyType: uint32(program.TypeMark), KeyLen: 4, Flags: program.SetTimeout, Size: 4}
	with := *s
	with.Elements = []program.Element{{Key: "\x00\x00\x00\x01", Timeout: 1000}}
	in := &program.Table{Family: program.IP, Name: "t"}
	if err := c.Commit(t.Context(), driver.Batch{Ops: []driver.Op{
		{Kind: driver.AddTable, Table: in}, {Kind: driver.AddSet, Table: in, Set: s}, {Kind: driver.AddElements, Table: in, Set: &with},
	}}); err != nil {
		t.Fatal(err)
	}
	left := func() uint64 {
		t.Helper()
		got, err := c.Read(t.Context(), everything)
		if err != nil {
			t.Fatal(err)
		}
		es := got.Program.Tables[0].Sets[0].Elements
		if len(es) == 0 {
			return 0
		}
		return es[0].Left
	}
	w, err := c.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	held := h.now()
	for _, step := range []struct {
		by   time.Duration
		left uint64
	}{
		{0, 1000}, {-time.Hour, 1000}, {300 * time.Millisecond, 700}, {time.Nanosecond, 700}, {699*time.Millisecond + 999_998, 1}, {1, 0}, {time.Hour, 0},
	} {
		h.Advance(step.by)
		if got := left(); got != step.left {
			t.Errorf("after %v more %d ms are left, want %d", step.by, got, step.left)
		}
	}
	if _, ok, err := w.Poll(); ok || err != nil {
		t.Errorf("a watch heard of it, %v", err)
	}
	if n := len(held.tables[0].sets[0].elements); n != 1 {
		t.Errorf("a state that is held has %d elements now", n)
	}
}
