// Package drivertest is the suite that every driver.Driver must pass. It was
// written from what Linux 6.18 does; a driver without a kernel passes it or is
// wrong.
package drivertest

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Run runs the suite. Each call of open gives a driver of a host that nobody
// else uses and that has no tables; the suite closes it. Pass lets time pass on a
// driver's host.
func Run(t *testing.T, open func(t *testing.T) driver.Driver, pass func(d driver.Driver, passes time.Duration)) {
	for _, part := range []struct {
		name string
		test func(*testing.T, *host)
	}{
		{"Tables", testTables},
		{"Chains", testChains},
		{"Policies", testPolicies},
		{"Renaming", testRenaming},
		{"RuleOrder", testRuleOrder},
		{"RuleState", testRuleState},
		{"Sets", testSets},
		{"ConstantSets", testConstantSets},
		{"OwnSets", testOwnSets},
		{"VerdictMaps", testVerdictMaps},
		{"Lock", testLock},
		{"Scope", testScope},
		{"Copies", testCopies},
		{"Depth", testDepth},
		{"Loops", testLoops},
		{"Generation", testGeneration},
		{"Conflict", testConflict},
		{"AllOrNothing", testAllOrNothing},
		{"EveryFailure", testEveryFailure},
		{"Context", testContext},
		{"Concurrency", testConcurrency},
		{"Close", testClose},
		{"Probe", testProbe},
		{"Watch", testWatch},
		{"WatchEnds", testWatchEnds},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, start(t, open)) })
	}
	t.Run("Timeouts", func(t *testing.T) { testTimeouts(t, open, pass) })
	t.Run("Refusals", func(t *testing.T) { testRefusals(t, open) })
	t.Run("Programs", func(t *testing.T) { testPrograms(t, open) })
}

// host is a driver under test.
type host struct {
	*testing.T
	driver.Driver
}

func start(t *testing.T, open func(t *testing.T) driver.Driver) *host {
	t.Helper()
	d := open(t)
	t.Cleanup(func() { d.Close() })
	return &host{t, d}
}

// commit does operations that must succeed.
func (h *host) commit(ops ...driver.Op) {
	h.Helper()
	if err := h.Commit(h.Context(), driver.Batch{Ops: ops}); err != nil {
		h.Fatalf("commit: %v", err)
	}
}

// refuse does operations that must be refused, and returns the refusal.
func (h *host) refuse(ops ...driver.Op) *driver.CommitError {
	h.Helper()
	err := h.Commit(h.Context(), driver.Batch{Ops: ops})
	var refused *driver.CommitError
	if !errors.As(err, &refused) {
		h.Fatalf("commit: %v, want a *driver.CommitError", err)
	}
	if len(refused.Failures) == 0 {
		h.Fatal("a *driver.CommitError without failures")
	}
	return refused
}

// refuseFirst is refuse for a batch whose first failure is of operation op and
// is err.
func (h *host) refuseFirst(op int, err error, ops ...driver.Op) {
	h.Helper()
	f := h.refuse(ops...).Failures[0]
	if f.Op != op || !errors.Is(f.Err, err) {
		h.Errorf("operation %d failed with %v, want operation %d with %v", f.Op, f.Err, op, err)
	}
}

// read reads everything.
func (h *host) read() *driver.State {
	h.Helper()
	s, err := h.Read(h.Context(), driver.Scope{})
	if err != nil {
		h.Fatalf("read: %v", err)
	}
	return s
}

// chain reads one chain, which must be there.
func (h *host) chain(r room, name string) *program.Chain {
	h.Helper()
	t := h.read().Program.Table(r.Family, r.Name)
	if t == nil {
		h.Fatalf("no table %v %s", r.Family, r.Name)
	}
	c := t.Chain(name)
	if c == nil {
		h.Fatalf("no chain %s", name)
	}
	return c
}

// The errors that package fs does not name.
const (
	busy       = syscall.EBUSY
	tooDeep    = syscall.EMLINK
	full       = syscall.ENFILE
	impossible = syscall.EOPNOTSUPP
)
