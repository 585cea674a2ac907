//go:build linux

package nft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
	"golang.org/x/sys/unix"
)

// small is a table with one chain, which tests change.
var (
	small  = &p.Table{Family: p.IP, Name: "small"}
	smallC = &p.Chain{Name: "c"}
)

func makeSmall(t testing.TB, k *kernel) uint32 {
	t.Helper()
	mustCommit(t, k, driver.Op{Kind: driver.AddTable, Table: small}, driver.Op{Kind: driver.AddChain, Table: small, Chain: smallC})
	gen, err := k.Generation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return gen
}

func mustCommit(t testing.TB, k *kernel, ops ...driver.Op) {
	t.Helper()
	if err := k.Commit(t.Context(), driver.Batch{Ops: ops}); err != nil {
		t.Fatal(err)
	}
}

func appendRule(chain string, exprs ...p.Expr) driver.Op {
	return driver.Op{Kind: driver.AddRule, Table: small, Chain: &p.Chain{Name: chain}, Rule: &p.Rule{Exprs: exprs}}
}

// lose makes the next n datagrams of a socket get lost, as where its buffer is full.
func lose(s *socket, n int) {
	s.faults = &faults{receive: func(b []byte, err error) (int, error) {
		if n > 0 {
			n--
			return 0, unix.ENOBUFS
		}
		return len(b), err
	}}
}

// An answer that was lost is no success and no failure, but for a batch that was
// made for a generation which is still the last.
func TestLostAnswers(t *testing.T) {
	k := connect(t, labtest.Host(t))
	gen := makeSmall(t, k)
	good, bad := appendRule("c", p.Counter{}), appendRule("missing", p.Counter{})
	for _, tc := range []struct {
		name string
		gen  bool
		ops  []driver.Op
		lost int
		want error
	}{
		{"committed", false, []driver.Op{good}, 1, driver.ErrUncertain},
		{"committed, made for a generation", true, []driver.Op{good}, 1, driver.ErrUncertain},
		{"refused", false, []driver.Op{bad}, 1, driver.ErrUncertain},
		{"refused, made for a generation", true, []driver.Op{bad}, 1, unix.ENOBUFS},
		{"one refusal of two", false, []driver.Op{bad, bad}, 1, fs.ErrNotExist},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := driver.Batch{Ops: tc.ops}
			if tc.gen {
				b.Generation = gen
			}
			lose(k.control, tc.lost)
			err := k.Commit(t.Context(), b)
			k.control.faults = nil
			var refused *driver.CommitError
			if !errors.Is(err, tc.want) || errors.As(err, &refused) == errors.Is(err, driver.ErrUncertain) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			if gen, err = k.Generation(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What was not sent has not happened.
func TestNotSent(t *testing.T) {
	k := connect(t, labtest.Host(t))
	makeSmall(t, k)
	k.control.faults = &faults{send: func([]byte) error { return unix.EMSGSIZE }}
	var large *driver.TooLargeError
	if err := k.Commit(t.Context(), driver.Batch{Ops: []driver.Op{appendRule("c")}}); !errors.As(err, &large) {
		t.Errorf("%v, want a TooLargeError", err)
	}
	k.control.faults = &faults{send: func([]byte) error { return unix.EPERM }}
	if err := k.Commit(t.Context(), driver.Batch{Ops: []driver.Op{appendRule("c")}}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v, want fs.ErrPermission", err)
	}
	k.control.faults = nil
	mustCommit(t, k, appendRule("c"))
}

// The limit is the kernel's own: one byte more and it refuses.
func TestLimit(t *testing.T) {
	k := connect(t, labtest.Host(t))
	makeSmall(t, k)
	k.maxBatch = k.control.setBuffer(unix.SO_SNDBUF, unix.SO_SNDBUF, 10000) - sendOverhead
	var large *driver.TooLargeError
	fits, over := 0, 0
	for n := 1; over == 0; n++ {
		ops := slices.Repeat([]driver.Op{appendRule("c", p.Counter{})}, n)
		err := k.Commit(t.Context(), driver.Batch{Ops: ops})
		switch {
		case err == nil:
			fits = n
		case errors.As(err, &large) && errors.Is(err, driver.ErrTooLarge):
			over = n
		default:
			t.Fatal(err)
		}
	}
	if over != fits+1 || large.Max != k.maxBatch || large.Size <= large.Max || large.Max < 19000 || large.Max > 20500 {
		t.Errorf("%d fit, %d do not: %v", fits, over, large)
	}
	k.maxBatch = 1 << 30
	err := k.Commit(t.Context(), driver.Batch{Ops: slices.Repeat([]driver.Op{appendRule("c", p.Counter{})}, over+100)})
	if !errors.As(err, &large) {
		t.Errorf("the kernel takes more: %v", err)
	}
	s, err := k.Read(t.Context(), driver.Scope{})
	if err != nil || s.MaxBatch != k.maxBatch {
		t.Errorf("%+v, %v", s, err)
	}
}

// Every message that the kernel refuses is reported, as the operation that it
// is of, with the expression or element at fault.
func TestEveryRefusal(t *testing.T) {
	k := connect(t, labtest.Host(t))
	makeSmall(t, k)
	const n = 250 // as many as an ordinary user has room for on any host
	var ops []driver.Op
	for i := range n {
		exprs := slices.Repeat([]p.Expr{p.Counter{}}, i%5)
		ops = append(ops, appendRule("c", p.Counter{}), appendRule("c", append(exprs, p.Verdict{Kind: p.NFTJump, Chain: "missing"})...))
	}
	err := k.Commit(t.Context(), driver.Batch{Ops: ops})
	var refused *driver.CommitError
	if !errors.As(err, &refused) || len(refused.Failures) != n {
		t.Fatalf("%v", err)
	}
	for i, f := range refused.Failures {
		want := driver.Failure{Op: 2*i + 1, Err: unix.ENOENT, Expr: i % 5, Attr: fmt.Sprintf("NFTA_RULE_EXPRESSIONS/%d", i%5)}
		if f != want {
			t.Fatalf("%+v, want %+v", f, want)
		}
	}
}

func TestElementAtFault(t *testing.T) {
	k := connect(t, labtest.Host(t))
	makeSmall(t, k)
	s := &p.Set{Name: "s", KeyType: uint32(p.TypeIPv4), KeyLen: 4, Flags: p.SetMap, DataType: 0xffffff00, DataLen: 16, Size: 20000}
	for i := range 10000 {
		s.Elements = append(s.Elements, p.Element{Key: p.Net32(uint32(i)).Data, Verdict: p.Verdict{Kind: p.NFAccept}})
	}
	s.Elements[7777].Verdict = p.Verdict{Kind: p.NFTJump, Chain: "missing"}
	err := k.Commit(t.Context(), driver.Batch{Ops: []driver.Op{
		{Kind: driver.AddSet, Table: small, Set: s}, {Kind: driver.AddElements, Table: small, Set: s}}})
	var refused *driver.CommitError
	if !errors.As(err, &refused) || len(refused.Failures) != 1 {
		t.Fatal(err)
	}
	want := driver.Failure{Op: 1, Err: unix.ENOENT, Expr: -1, Attr: "NFTA_SET_ELEM_LIST_ELEMENTS/7777"}
	if f := refused.Failures[0]; f != want {
		t.Errorf("%+v, want %+v", f, want)
	}
}

// A context that ends, and Close, end what waits: for its turn or for an answer.
func TestWaiting(t *testing.T) {
	k := connect(t, labtest.Host(t))
	makeSmall(t, k)
	for name, op := range map[string]func(context.Context) error{
		"Generation": func(ctx context.Context) error { _, err := k.Generation(ctx); return err },
		"Commit":     func(ctx context.Context) error { return k.Commit(ctx, driver.Batch{Ops: []driver.Op{appendRule("c")}}) },
		"Read":       func(ctx context.Context) error { _, err := k.Read(ctx, driver.Scope{}); return err },
		"Probe": func(ctx context.Context) error {
			return k.Probe(ctx, driver.XT{Family: p.IP, Name: "tcp"})
		},
	} {
		for _, s := range []*socket{k.control, k.dumps} { // somebody has both
			if err := s.take(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := op(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		if err := op(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, ended before: %v", name, err)
		}
		k.control.release()
		k.dumps.release()
	}
	// An answer that does not come.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	k.control.take(t.Context())
	free := k.control.bound(ctx)
	if _, err := k.control.receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("receive: %v", err)
	}
	free()
	k.control.release()

	var wg sync.WaitGroup
	waits := make(chan error, 2)
	k.control.take(t.Context())
	wg.Go(func() { _, err := k.Generation(t.Context()); waits <- err })
	wg.Go(func() { _, err := k.control.receive(t.Context()); waits <- err })
	time.Sleep(20 * time.Millisecond)
	k.Close()
	wg.Wait()
	for range 2 {
		if err := <-waits; !errors.Is(err, fs.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
}

// A dump that was left in the middle does not spoil the next.
func TestDumpLeft(t *testing.T) {
	k := connect(t, labtest.Host(t))
	_, ops := pages(1, 5000)
	mustCommit(t, k, ops...)
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		k.dumps.faults = &faults{receive: func(b []byte, err error) (int, error) {
			if n++; n > i {
				cancel()
			}
			return len(b), err
		}}
		if _, err := k.Read(ctx, driver.Scope{}); !errors.Is(err, context.Canceled) {
			t.Errorf("after %d datagrams: %v", i, err)
		}
		k.dumps.faults = nil
		s, err := k.Read(t.Context(), driver.Scope{})
		if err != nil || len(s.Program.Tables[0].Chains[0].Rules) != 5000 {
			t.Fatalf("after %d datagrams: %v", i, err)
		}
		cancel()
	}
}
