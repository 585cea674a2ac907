package nft

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/table"
	"golang.org/x/sys/unix"
)

// mishap is something that goes wrong at one message. Without either function it is
// a signal that interrupts receiving.
type mishap struct {
	name    string
	send    func(s *socket) error
	receive func(s *socket, b []byte) (int, error)
}

var mishaps = []mishap{
	{name: "ENOBUFS at sending", send: func(*socket) error { return unix.ENOBUFS }},
	{name: "EAGAIN at sending", send: func(*socket) error { return unix.EAGAIN }},
	{name: "closed before sending", send: func(s *socket) error { _ = s.close(); return nil }},
	{name: "ENOBUFS", receive: func(*socket, []byte) (int, error) { return 0, unix.ENOBUFS }},
	{name: "EINTR"},
	{name: "short", receive: func(_ *socket, b []byte) (int, error) { return len(b) - 5, nil }},
	{name: "empty", receive: func(_ *socket, b []byte) (int, error) { return 0, nil }},
	{name: "unknown message", receive: func(_ *socket, b []byte) (int, error) {
		binary.NativeEndian.PutUint16(b[4:], 0x0aff)
		return len(b), nil
	}},
	{name: "answer to something else", receive: func(_ *socket, b []byte) (int, error) {
		binary.NativeEndian.PutUint32(b[8:], binary.NativeEndian.Uint32(b[8:])+1000)
		return len(b), nil
	}},
	{name: "closed before receiving", receive: func(s *socket, b []byte) (int, error) {
		go s.close() // ends when this message is dealt with
		<-s.closed
		return len(b), nil
	}},
}

// put makes it happen at the n'th message of a socket; happened says that it did.
func (m mishap) put(s *socket, n int) (happened *bool) {
	happened = new(bool)
	due := func() bool {
		if n--; n == 0 {
			*happened = true
			return true
		}
		return false
	}
	s.faults = &faults{}
	switch {
	case m.send != nil:
		s.faults.send = func([]byte) error {
			if due() {
				return m.send(s)
			}
			return nil
		}
	case m.receive != nil:
		s.faults.receive = func(b []byte, err error) (int, error) {
			if due() {
				return m.receive(s, b)
			}
			return len(b), err
		}
	default:
		s.faults.signal = due
	}
	return happened
}

// Whatever goes wrong between us and the kernel, and whenever: what is said is true.
// No error is "applied", ErrUncertain says that it is not known, and any other error
// is "not applied". Nothing of it is left after the next change.
func TestTruth(t *testing.T) {
	for _, m := range mishaps {
		for _, max := range []int{0, 24 << 10} {
			for _, of := range []string{"control", "dumps"} {
				if max > 0 && of == "dumps" {
					continue // what reads does not know of it
				}
				t.Run(fmt.Sprint(m.name, " ", of, " ", max), func(t *testing.T) {
					t.Parallel()
					m.everywhere(t, of, max)
				})
			}
		}
	}
}

func (m mishap) everywhere(t *testing.T, of string, max int) {
	host := labtest.Host(t)
	reader := openFirewall(t, host, backend.Config{Owner: "truth"})
	was, is := long(1, 40), long(2, 50)
	if max > 0 {
		was, is = long(1, 520), long(2, 530)
	}
	said := map[string]int{}
	for n := 1; n < 200; n++ {
		apply(t, reader, was)
		k := connect(t, host)
		if max > 0 {
			k.maxBatch = max
		}
		fw, err := backend.New(backend.Config{Owner: "truth", Retries: 3}, k)
		if err != nil {
			t.Fatal(err)
		}
		s := map[string]*socket{"control": k.control, "dumps": k.dumps}[of]
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // an answer that never comes
		happened := m.put(s, n)
		err = fw.Apply(ctx, is)
		cancel()
		fw.Close()
		now := mustRead(t, reader)
		switch applied := now.Equal(is); {
		case !applied && !now.Equal(was):
			t.Fatalf("at message %d: %v, and in force is\n%s", n, err, now)
		case err == nil:
			said["applied"]++
			if !applied {
				t.Fatalf("at message %d: it is not applied, and no error says so", n)
			}
		case errors.Is(err, backend.ErrUncertain):
			said["uncertain"]++
		default:
			said["not applied"]++
			if applied {
				t.Fatalf("at message %d: it is applied, and yet %v", n, err)
			}
		}
		if !*happened {
			break
		}
	}
	t.Log(said)
	apply(t, reader, is)
	holds(t, reader, is, true)
	onlyOurs(t, host)
}

// A refusal that nobody can read is no success: a kernel that says of success that it
// is one has said nothing.
func TestUnreadableRefusal(t *testing.T) {
	k := connect(t, labtest.Host(t))
	makeSmall(t, k)
	if !k.says {
		labtest.Require(t, "a kernel that says of a batch that it was committed (Linux 6.10)", driver.ErrUnsupported)
	}
	for _, m := range mishaps {
		if m.receive == nil || strings.HasPrefix(m.name, "closed") {
			continue
		}
		happened := m.put(k.control, 1)
		err := k.Commit(t.Context(), driver.Batch{Ops: []driver.Op{appendRule("missing", p.Counter{})}})
		k.control.faults = nil
		if !*happened || !errors.Is(err, driver.ErrUncertain) {
			t.Errorf("%s: %v", m.name, err)
		}
	}
	mustCommit(t, k, appendRule("c", p.Counter{}))
}

// A context that ends at any time leaves the old ruleset or the new one, and what the
// error says is true.
func TestCancelledAtAnyTime(t *testing.T) {
	host := labtest.Host(t)
	fw := openFirewall(t, host, backend.Config{Owner: "cancel"})
	k := connect(t, host)
	k.maxBatch = 24 << 10
	staged, err := backend.New(backend.Config{Owner: "cancel"}, k)
	if err != nil {
		t.Fatal(err)
	}
	versions := []table.Ruleset{long(1, 520), long(2, 530)}
	apply(t, fw, versions[0])
	applied, cancelled := 0, 0
	for i := range 60 {
		was, is := versions[applied%2], versions[1-applied%2]
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(rand.N(12*time.Millisecond), cancel)
		err := []*backend.Firewall{fw, staged}[i%2].Apply(ctx, is)
		timer.Stop()
		cancel()
		now := mustRead(t, fw)
		switch {
		case err == nil && now.Equal(is):
			applied++
		case errors.Is(err, context.Canceled) && now.Equal(was):
			cancelled++
		default:
			t.Fatalf("%v, and in force is\n%s", err, now)
		}
	}
	t.Logf("%d applied, %d cancelled", applied, cancelled)
	apply(t, fw, versions[0])
	holds(t, fw, versions[0], true)
	onlyOurs(t, host)
}

// Somebody deletes the table between our reading and our writing.
func TestTableDeletedMeanwhile(t *testing.T) {
	host := labtest.Host(t)
	tool := oracle.Nft(t, host)
	fw := openFirewall(t, host, backend.Config{Owner: "gone"})
	was, is := long(1, 5), long(2, 5)
	apply(t, fw, was)
	plan, err := fw.Plan(t.Context(), is)
	if err != nil {
		t.Fatal(err)
	}
	tool.Must("delete", "table", "ip", "gone-filter")
	if err := plan.Commit(t.Context()); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("a plan for a table that is gone: %v", err)
	}
	apply(t, fw, was)
	runs := 0
	err = fw.Edit(t.Context(), func(e *backend.Edit) error {
		if runs++; runs == 1 {
			tool.Must("delete", "table", "ip", "gone-filter")
		}
		e.Chain(table.Filter.IPv4(), chain.Input).Append(ssh(7))
		return nil
	})
	want := table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Accept, ssh(7))))
	if now := mustRead(t, fw); err != nil || runs < 2 || !now.Equal(want) {
		t.Errorf("run %d times, %v; in force is\n%s", runs, err, now)
	}
	err = fw.Edit(t.Context(), func(e *backend.Edit) error {
		c := e.Chain(table.Filter.IPv4(), chain.Input)
		if c.Has(ssh(7)) {
			tool.Must("delete", "table", "ip", "gone-filter")
		}
		c.Delete(ssh(7))
		return nil
	})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("to delete what went meanwhile: %v", err)
	}
}
