// Package deltatest holds changes to their word on any driver: random programs
// are turned into one another, and every state on the way is looked at.
package deltatest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/constset"
	"github.com/gatehouse-fw/gatehouse/internal/delta"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/page"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Run turns random programs into one another. Each call of open gives a driver of
// a host that nobody else uses and that has no tables; the suite closes it.
func Run(t *testing.T, open func() driver.Driver) {
	rapid.Check(t, func(t *rapid.T) {
		d := open()
		defer d.Close()
		h := &host{T: t, Driver: d}
		opt := delta.Options{MaxBatch: rapid.SampledFrom([]int{0, 0, 8 << 10, 1 << 20}).Draw(t, "max batch")}
		var p *program.Program
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			p = next(t, p)
			have := h.read()
			want := page.Page(constset.Lower(p), have, 6)
			h.change(have, want, opt)
			after := h.read()
			same(t, after, want)
			kept(t, have, after, want)
			if again := delta.Diff(after, want, opt); !again.Empty() {
				t.Fatalf("done, but there is more to do: %v", kinds(again))
			}
			if d := cmp.Diff(p, page.Unpage(constset.Raise(want))); d != "" {
				t.Fatalf("up the stair again:\n%s", d)
			}
		}
	})
}

// host is a driver under test.
type host struct {
	*rapid.T
	driver.Driver
}

func (h *host) read() *program.Program {
	s, err := h.Read(context.Background(), driver.Scope{})
	if err != nil {
		h.Fatal(err)
	}
	return s.Program
}

func (h *host) commit(step string, ops []driver.Op) {
	if err := h.Commit(context.Background(), driver.Batch{Ops: ops}); err != nil {
		h.Fatalf("%s: %v\n%v", step, err, describe(ops))
	}
}

// change does a plan and looks at what packets meet after each transaction.
func (h *host) change(have, want *program.Program, opt delta.Options) {
	p := delta.Diff(have, want, opt)
	stage, turn, sweep, err := p.Batches()
	if err != nil {
		h.Skip("the switch is larger than the transaction may be")
	}
	if (len(turn) == 0) != p.Empty() {
		h.Fatalf("a plan of %v has a switch of %d operations", kinds(p), len(turn))
	}
	if trial := p.Trial(); len(trial) > 0 {
		err := h.Commit(context.Background(), driver.Batch{Ops: trial, Trial: true})
		if err != nil {
			h.Fatalf("tried: %v\n%v", err, describe(trial))
		}
	}
	before, after := forces(have, true), forces(want, true)
	for _, ops := range stage {
		h.commit("stage", ops)
		if d := cmp.Diff(before, forces(h.read(), true)); d != "" {
			h.Fatalf("staging changed what packets meet:\n%s", d)
		}
	}
	if len(turn) > 0 {
		h.commit("switch", turn)
	}
	for _, ops := range p.Filling() {
		h.commit("filling", ops)
	}
	for i := 0; ; i++ {
		now := forces(h.read(), i == len(sweep)) // until then what made way is in force too
		if d := cmp.Diff(after, now); d != "" {
			h.Fatalf("after the switch and %d of %d sweeps packets do not meet what is wanted:\n%s", i, len(sweep), d)
		}
		if i == len(sweep) {
			return
		}
		h.commit("sweep", sweep[i])
	}
}
