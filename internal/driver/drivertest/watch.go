package drivertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// follow is a watch that gives what happened as lines.
type follow struct {
	*host
	w driver.Watch
}

func (h *host) follow() *follow {
	h.Helper()
	w, err := h.Watch(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { w.Close() })
	return &follow{h, w}
}

// saw wants the next commit to have these events in any order, and to be our own.
func (f *follow) saw(want ...string) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 5*time.Second)
	defer cancel()
	seen, err := f.w.Next(ctx)
	if err != nil {
		f.Fatal(err)
	}
	gen, err := f.Generation(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	if seen.Lost || !seen.Own || seen.Generation != gen || seen.PID == 0 || seen.Command == "" {
		f.Errorf("%+v, want our own commit, generation %d", seen, gen)
	}
	var got []string
	deleted := map[uint64]bool{}
	for _, e := range seen.Events {
		if e.Kind == driver.DeleteRule {
			deleted[e.Rule.Handle] = true
		}
		if e.Kind == driver.AddRule && deleted[e.Rule.Handle] {
			e.Last, e.After = false, 0
		}
		got = append(got, line(e))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		f.Errorf("saw %q, want %q", got, want)
	}
}

func line(e driver.Event) string {
	s := fmt.Sprintf("%v %v %s", e.Kind, e.Table.Family, e.Table.Name)
	if e.Chain != nil {
		s += " " + e.Chain.Name
		if e.Rule == nil && e.Chain.Base {
			s += fmt.Sprintf(" policy %d", e.Chain.Policy)
		}
	}
	if e.Rule != nil {
		s += fmt.Sprintf(" #%d", e.Rule.Exprs[0].(program.Immediate).Value.Data[3])
		switch {
		case e.Last:
			s += " at the end"
		case e.After != 0:
			s += " behind another"
		}
	}
	if e.Set != nil {
		s += " " + e.Set.Name
		for _, x := range e.Set.Elements {
			s += fmt.Sprintf(" %x", x.Key)
		}
	}
	return s
}

// testWatch: each commit is told of once, with everything that it did.
func testWatch(t *testing.T, h *host) {
	r := suite()
	h.commit(r.add()) // before anybody watches
	f := h.follow()
	h.commit(ops(r.user("c"), r.base("in", 1), r.append("c", nth(1)), r.append("c", nth(2)))...)
	f.saw("add chain ip suite c", "add chain ip suite in policy 1",
		"add rule ip suite c #1 at the end", "add rule ip suite c #2 at the end")
	first := h.chain(r, "c").Rules[0].Handle
	h.commit(r.insert("c", first, nth(3)))
	f.saw("add rule ip suite c #3")
	h.commit(r.replace("c", first, nth(4)))
	f.saw("delete rule ip suite c #1", "add rule ip suite c #4")
	h.commit(r.flush("c"))
	f.saw("delete rule ip suite c #2", "delete rule ip suite c #3", "delete rule ip suite c #4")
	s := program.Set{Name: "s", KeyType: 13, KeyLen: 2, Size: 8}
	h.commit(ops(r.set(driver.AddSet, &s), r.elements(driver.AddElements, "s", program.Element{Key: "\x00\x19"}))...)
	f.saw("add set ip suite s", "add elements ip suite s 0019")
	h.commit(r.elements(driver.AddElements, "s", program.Element{Key: "\x00\x50"}))
	f.saw("add elements ip suite s 0050")
	h.commit(r.elements(driver.DeleteElements, "s", program.Element{Key: "\x00\x19"}))
	f.saw("delete elements ip suite s 0019")
	h.commit(r.deleteChain("c"))
	f.saw("delete chain ip suite c")
	if seen, ok, err := f.w.Poll(); ok || err != nil {
		t.Errorf("there is more: %+v, %v", seen, err)
	}
}

// testWatchEnds: a watch ends with its context, with Close and with the driver's
// refusal to begin one after its own.
func testWatchEnds(t *testing.T, h *host) {
	f := h.follow()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := f.w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing was committed: %v", err)
	}
	r := suite()
	h.commit(r.add())
	f.saw("add table ip suite")
	waits := make(chan error, 1)
	go func() {
		_, err := f.w.Next(context.WithoutCancel(t.Context()))
		waits <- err
	}()
	time.Sleep(10 * time.Millisecond)
	f.w.Close()
	select {
	case err := <-waits:
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Next goes on after Close")
	}
	h.Close()
	if _, err := h.Watch(t.Context()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
