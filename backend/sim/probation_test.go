package sim_test

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/sim"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/table"
)

// A change that nobody confirmed ends when the host's time says so, to the
// millisecond, though nobody looks at it.
func TestProbationEndsByTheClock(t *testing.T) {
	h := sim.New(sim.Config{})
	open := func() *backend.Firewall {
		fw, err := h.Open(t.Context(), backend.Config{Owner: "mailhost"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { fw.Close() })
		return fw
	}
	of := func(p chain.Policy) table.Ruleset {
		return table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, p)))
	}
	fw := open()
	if err := fw.Apply(t.Context(), of(chain.Accept)); err != nil {
		t.Fatal(err)
	}
	p, err := fw.Try(t.Context(), of(chain.Drop), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	h.Advance(30*time.Second - time.Millisecond)
	if d, err := p.Left(t.Context()); err != nil || d != time.Millisecond {
		t.Errorf("%v left, %v", d, err)
	}
	if now, err := open().Read(t.Context()); err != nil || !now.Equal(of(chain.Drop)) {
		t.Errorf("on probation: %v, %v", now, err)
	}
	h.Advance(time.Millisecond)
	if now, err := open().Read(t.Context()); err != nil || !now.Equal(of(chain.Accept)) {
		t.Errorf("after it: %v, %v", now, err)
	}
	if err := p.Confirm(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("confirmed too late: %v", err)
	}
}
