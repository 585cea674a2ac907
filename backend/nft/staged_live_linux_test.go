package nft

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/table"
)

// held is a process in the middle of a staged change, which goes on when it is let.
type held struct {
	arrived, on chan struct{}
	done        chan error
}

// hold begins to apply a ruleset, and stops before the second large message.
func hold(t *testing.T, host *lab.Host, rs table.Ruleset) *held {
	k := connect(t, host)
	k.maxBatch = 24 << 10
	fw, err := backend.New(backend.Config{Owner: "staged"}, k)
	if err != nil {
		t.Fatal(err)
	}
	h := &held{make(chan struct{}), make(chan struct{}), make(chan error, 1)}
	n := 0
	k.control.faults = &faults{send: func(b []byte) error {
		if len(b) > 8<<10 {
			if n++; n == 2 {
				close(h.arrived)
				select {
				case <-h.on:
				case <-t.Context().Done():
				}
			}
		}
		return nil
	}}
	go func() { h.done <- fw.Apply(t.Context(), rs) }()
	select {
	case <-h.arrived:
	case err := <-h.done:
		t.Fatalf("nothing was staged: %v", err)
	}
	return h
}

// finish lets it go on to its end.
func (h *held) finish(t *testing.T) {
	t.Helper()
	close(h.on)
	finished(t, h.done)
}

func finished(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
}

// What a process that lives has staged nobody sees, and nobody takes away; whoever
// needs the names waits, and everybody else goes on.
func TestLiveStageIsLeftAlone(t *testing.T) {
	host := labtest.Host(t)
	first := openFirewall(t, host, backend.Config{Owner: "staged"})
	apply(t, first, long(1, 600))
	h := hold(t, host, long(2, 700))
	tool := oracle.Nft(t, host)
	list := tool.List("-a")
	staged := strings.Count(list, "chain ")
	if !strings.Contains(list, "flags owner") || !strings.Contains(list, "comment \"chain ip staged-filter INPUT.p") {
		t.Errorf("there is no lock, or no journal:\n%.2000s", list)
	}

	fw := openFirewall(t, host, backend.Config{Owner: "staged"}) // sweeps
	holds(t, fw, long(1, 600), false)
	if s, err := fw.Snapshot(t.Context()); err != nil || len(s.Others()) != 0 {
		t.Errorf("a journal is not somebody else's table: %v, %v", s.Others(), err)
	}
	err := fw.Edit(t.Context(), func(e *backend.Edit) error {
		e.Chain(table.Filter.IPv4(), "both").Append(ssh(99))
		return nil
	})
	if err != nil {
		t.Errorf("an edit of something else: %v", err)
	}
	if n := strings.Count(tool.List("-a"), "chain "); n != staged {
		t.Errorf("%d chains, %d were staged and in force", n, staged)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = fw.Edit(ctx, func(e *backend.Edit) error {
		e.Chain(table.Filter.IPv4(), "v2").New()
		return nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a chain of a name that is staged: %v", err)
	}
	h.finish(t)
	holds(t, fw, long(2, 700), true)
	onlyOurs(t, host)
}

// onlyOurs wants the owner's tables, and nothing else, to be there.
func onlyOurs(t *testing.T, host *lab.Host) {
	t.Helper()
	k := connect(t, host)
	defer k.Close()
	got, err := k.Read(t.Context(), driver.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range got.Program.Tables {
		if !strings.HasSuffix(x.Name, "-filter") {
			t.Errorf("the table %s is left", x.Name)
		}
		for _, c := range x.Chains {
			if strings.Contains(c.Name, ".p") && c.Use == uint32(len(c.Rules)) {
				t.Errorf("the page %s is left", c.Name)
			}
		}
	}
}

// Another process needs the very names, and gets them when the first is done.
func TestStagesOfTheSameNames(t *testing.T) {
	host := labtest.Host(t)
	fw := openFirewall(t, host, backend.Config{Owner: "staged"})
	h := hold(t, host, long(2, 700))
	second := make(chan error, 1)
	go func() { second <- fw.Apply(t.Context(), long(2, 600)) }()
	select {
	case err := <-second:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	h.finish(t)
	finished(t, second)
	holds(t, fw, long(2, 600), true)
	onlyOurs(t, host)
}

// A table that goes while somebody stages for it is made anew, and what somebody
// put into a table that is being made stays.
func TestStagedTableGoes(t *testing.T) {
	host := labtest.Host(t)
	fw := openFirewall(t, host, backend.Config{Owner: "staged"})
	apply(t, fw, long(1, 600))
	h := hold(t, host, long(2, 700))
	oracle.Nft(t, host).Must("delete", "table", "ip", "staged-filter")
	h.finish(t)
	holds(t, fw, long(2, 700), true)
	if err := fw.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}

	h = hold(t, host, long(2, 700)) // of a table that is not there
	oracle.Nft(t, host).Must("add", "chain", "ip", "staged-filter", "stranger")
	h.finish(t)
	holds(t, fw, long(2, 700), true) // Apply is exact: what it found goes
	onlyOurs(t, host)
	apply(t, fw, table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Accept))))
	onlyOurs(t, host)
}
