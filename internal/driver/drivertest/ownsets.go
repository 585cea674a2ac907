package drivertest

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// leases is a set whose elements have timeouts, counters and comments; nets one of
// ranges; pairs one of ranges in a concatenation.
var (
	leases = program.Set{
		Name: "leases", KeyType: uint32(program.TypeIPv4), KeyLen: 4, Flags: program.SetTimeout,
		Timeout: 600_000, Counted: true,
	}
	nets = program.Set{
		Name: "nets", KeyType: uint32(program.TypeIPv4), KeyLen: 4, Flags: program.SetTimeout | program.SetInterval,
	}
	pairs = program.Set{
		Name: "pairs", KeyType: program.Concat(program.TypeIPv4, program.TypeMark), KeyLen: 8, Fields: "\x04\x04",
		Flags: program.SetTimeout | program.SetInterval | program.SetConcat,
	}
)

// testOwnSets: what a set of one's own is, and what its elements have, comes back.
func testOwnSets(t *testing.T, h *host) {
	r := suite()
	at := func(n uint32) string { return program.Net32(10<<24 | n).Data }
	of := map[string][]program.Element{
		"leases": {
			{Key: at(1)}, {Key: at(2), Timeout: 3_600_000, UserData: "\x00\x02c\x00"},
			{Key: at(3), Forever: true, Packets: 5, Bytes: 500},
		},
		"nets":  {{Key: at(0)}, {Key: at(256), End: true}, {Key: at(512)}, {Key: at(513), End: true}},
		"pairs": {{Key: at(0) + program.Net32(7).Data, KeyEnd: at(255) + program.Net32(7).Data}},
	}
	batch := []driver.Op{r.add()}
	for _, s := range []program.Set{leases, nets, pairs} {
		s.UserData = wire.Notes(&s, "gatehouse/1 hash:net")
		full := s
		full.Elements = of[s.Name]
		batch = append(batch, r.set(driver.AddSet, &s), r.set(driver.AddElements, &full))
	}
	h.commit(batch...)
	for _, want := range []program.Set{leases, nets, pairs} {
		got := h.readSet(r, want.Name)
		if got.KeyType != want.KeyType || got.KeyLen != want.KeyLen || got.Flags != want.Flags || got.Fields != want.Fields ||
			got.Timeout != want.Timeout || got.Counted != want.Counted || wire.SetComment(got.UserData) != "gatehouse/1 hash:net" {
			t.Errorf("set reads %+v, want %+v", got, want)
		}
		sameElements(t, want.Name, got.Elements, of[want.Name])
		var streamed []program.Element
		err := h.Elements(h.Context(), r.Table, want.Name, func(s *program.Set, part []program.Element) error {
			if s.Name != want.Name || s.Flags != want.Flags {
				t.Errorf("set %+v, want %+v", s, want)
			}
			streamed = append(streamed, part...)
			_, err := h.Generation(h.Context()) // the driver can be used meanwhile
			return err
		})
		if err != nil {
			t.Error(err)
		}
		sameElements(t, want.Name, streamed, of[want.Name])
	}
	stop := errors.New("stop")
	if err := h.Elements(h.Context(), r.Table, "leases", func(*program.Set, []program.Element) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v, want the caller's own error", err)
	}
	if err := h.Elements(h.Context(), r.Table, "none", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the elements of no set: %v", err)
	}
	over, cancel := context.WithCancel(h.Context())
	cancel()
	if err := h.Elements(over, r.Table, "leases", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}

	// An element is renewed by going and coming in one transaction.
	again := leases
	again.Elements = []program.Element{{Key: at(1), Timeout: 60_000, Packets: 9, Bytes: 90}}
	gone := like(leases, program.Element{Key: at(1)})
	h.commit(r.set(driver.DeleteElements, gone), r.set(driver.AddElements, &again))
	for _, e := range h.readSet(r, "leases").Elements {
		if e.Key == at(1) && (e.Timeout != 60_000 || e.Packets != 9) {
			t.Errorf("renewed: %+v", e)
		}
	}
	h.refuseFirst(0, fs.ErrNotExist, r.set(driver.DeleteElements, like(leases, program.Element{Key: at(9)})))

	s, err := h.Read(h.Context(), driver.Scope{Elements: func(_ *program.Table, s *program.Set) bool { return s.Name == "nets" }})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range s.Program.Table(r.Family, r.Name).Sets {
		if read := s.Name == "nets"; s.Unread == read || (len(s.Elements) > 0) != read {
			t.Errorf("%s: unread %t, %d elements", s.Name, s.Unread, len(s.Elements))
		}
	}
}

// sameElements compares what was written, the time that is left aside.
func sameElements(t *testing.T, set string, got, want []program.Element) {
	t.Helper()
	got = slices.Clone(got)
	for i := range got {
		got[i].Left = 0
	}
	got, want = wire.SortElements(got), wire.SortElements(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: elements\n%+v, want\n%+v", set, got, want)
	}
}
