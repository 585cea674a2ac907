package drivertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

func testContext(t *testing.T, h *host) {
	r := suite()
	over, cancel := context.WithCancel(h.Context())
	cancel()
	if err := h.Commit(over, driver.Batch{Ops: ops(r.add())}); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: %v, want context.Canceled", err)
	}
	if _, err := h.Read(over, driver.Scope{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v, want context.Canceled", err)
	}
	if _, err := h.Generation(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Generation: %v, want context.Canceled", err)
	}
	if err := h.Probe(over, driver.XT{Family: program.IP, Name: "comment"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Probe: %v, want context.Canceled", err)
	}
	if got := h.read().Program.Tables; len(got) != 0 {
		t.Errorf("%d tables, though the commit was cancelled", len(got))
	}
	h.commit(r.add()) // the driver is none the worse for it
}

func testClose(t *testing.T, h *host) {
	h.commit(suite().add())
	if err := h.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := h.Generation(h.Context()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Generation: %v, want fs.ErrClosed", err)
	}
	if _, err := h.Read(h.Context(), driver.Scope{}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read: %v, want fs.ErrClosed", err)
	}
	if err := h.Commit(h.Context(), driver.Batch{Ops: ops(suite().delete())}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit: %v, want fs.ErrClosed", err)
	}
	if err := h.Probe(h.Context(), driver.XT{Family: program.IP, Name: "comment"}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Probe: %v, want fs.ErrClosed", err)
	}
}

func testProbe(t *testing.T, h *host) {
	before := h.generation()
	for _, tc := range []struct {
		driver.XT
		known bool
	}{
		{driver.XT{Family: program.IP, Name: "comment"}, true},
		{driver.XT{Family: program.IP6, Name: "tcp"}, true},
		{driver.XT{Family: program.IP, Name: "addrtype", Rev: 1}, true},
		{driver.XT{Family: program.IP6, Name: "TCPMSS", Target: true}, true},
		{driver.XT{Family: program.IP, Name: "MARK", Rev: 2, Target: true}, true},
		{driver.XT{Family: program.IP, Name: "hl"}, false}, // IPv6's alone
		{driver.XT{Family: program.IP6, Name: "ttl"}, false},
		{driver.XT{Family: program.IP, Name: "comment", Rev: 7}, false},
		{driver.XT{Family: program.IP, Name: "comment", Target: true}, false},
		{driver.XT{Family: program.IP, Name: "gatehouse"}, false},
	} {
		err := h.Probe(h.Context(), tc.XT)
		if tc.known && err != nil || !tc.known && !errors.Is(err, driver.ErrUnsupported) {
			t.Errorf("%+v: %v, known %t", tc.XT, err, tc.known)
		}
	}
	if got := h.generation(); got != before {
		t.Errorf("probing moved the generation from %d to %d", before, got)
	}
}

// testConcurrency: whoever read a generation and commits to it is alone.
func testConcurrency(t *testing.T, h *host) {
	const writers, each = 4, 25
	r := suite()
	h.commit(ops(r.add(), r.user("c"))...)
	errs := make(chan error, 2*writers)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() { errs <- h.increment(r, each) })
		all.Go(func() { errs <- h.watch(r, each) })
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	got := numbers(h.chain(r, "c"))
	if len(got) != writers*each {
		t.Fatalf("%d rules, want %d", len(got), writers*each)
	}
	for i, n := range got {
		if n != uint32(i) {
			t.Fatalf("rule %d says %d: somebody wrote over somebody", i, n)
		}
	}
}

// increment appends n rules, each numbered by how many there were.
func (h *host) increment(r room, n int) error {
	for tries := 0; n > 0; tries++ {
		if tries > 100_000 {
			return errors.New("conflicts without end")
		}
		s, err := h.Read(h.Context(), driver.Scope{})
		if errors.Is(err, driver.ErrUnstable) {
			continue
		}
		if err != nil {
			return err
		}
		there := len(s.Program.Table(r.Family, r.Name).Chain("c").Rules)
		b := driver.Batch{Generation: s.Generation, Ops: ops(r.append("c", nth(uint32(there))))}
		switch err := h.Commit(h.Context(), b); {
		case err == nil:
			n--
		case !errors.Is(err, driver.ErrConflict):
			return err
		}
	}
	return nil
}

// watch reads n times: generations do not go back, rules do not vanish.
func (h *host) watch(r room, n int) error {
	var generation uint32
	rules := 0
	for range n {
		s, err := h.Read(h.Context(), driver.Scope{})
		if errors.Is(err, driver.ErrUnstable) {
			continue
		}
		if err != nil {
			return err
		}
		there := len(s.Program.Table(r.Family, r.Name).Chain("c").Rules)
		if s.Generation < generation || there < rules {
			return fmt.Errorf("generation %d with %d rules after %d with %d", s.Generation, there, generation, rules)
		}
		generation, rules = s.Generation, there
	}
	return nil
}
