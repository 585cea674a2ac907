package clienttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

const (
	writers = 8
	edits   = 50
)

// Eight writers make fifty edits each of one chain, through a Firewall of their
// own or one that they share: no update is lost, none is made twice.
func TestNoUpdateIsLost(t *testing.T) {
	for name, shared := range map[string]bool{"one firewall": true, "a firewall each": false} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, w world) {
				var conflicts atomic.Int64
				cfg := backend.Config{Owner: "client", Observe: func(c backend.Commit) { conflicts.Add(int64(c.Conflicts)) }}
				fw := w.open(t, cfg)
				w.apply(t, fw, input(dev("first")))
				var wg sync.WaitGroup
				for i := range writers {
					mine := fw
					if !shared {
						mine = w.open(t, cfg)
					}
					wg.Go(func() {
						for k := range edits {
							r := rule.Accept(match.In(fmt.Sprintf("w%d-%d", i, k)))
							err := mine.Edit(t.Context(), func(e *backend.Edit) error {
								c := e.Chain(table.Filter, chain.Input)
								c.Append(r)
								if k%2 == 1 { // every second one replaces the one before
									c.Delete(rule.Accept(match.In(fmt.Sprintf("w%d-%d", i, k-1))))
								}
								return nil
							})
							if err != nil {
								t.Errorf("writer %d, edit %d: %v", i, k, err)
								return
							}
						}
					})
				}
				wg.Wait()
				t.Logf("%d conflicts", conflicts.Load())
				seen := map[string]int{}
				for _, r := range lines(t, fw, table.Filter, chain.Input) {
					seen[r.String()]++
				}
				for i := range writers {
					for k := 1; k < edits; k += 2 {
						if s := fmt.Sprintf("-i w%d-%d -j ACCEPT", i, k); seen[s] != 1 {
							t.Errorf("%d times %s", seen[s], s)
						}
					}
				}
				if len(seen) != 1+writers*edits/2 {
					t.Errorf("%d rules, want %d", len(seen), 1+writers*edits/2)
				}
			})
		})
	}
}

// The second of two writers sees the conflict, runs again on what is there then,
// and succeeds; a plan that another writer made stale is ErrConflict.
func TestTwoWriters(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		ctx := t.Context()
		var commits []backend.Commit
		one := w.open(t, backend.Config{Owner: "client", Observe: func(c backend.Commit) { commits = append(commits, c) }})
		two := w.client(t)
		w.apply(t, one, input(dev("a")))
		runs := 0
		err := one.Edit(ctx, func(e *backend.Edit) error {
			if runs++; runs == 1 {
				edit(t, two, table.Filter, chain.Input, func(c *backend.ChainEdit) { c.Insert(1, dev("b")) })
			}
			e.Chain(table.Filter, chain.Input).Insert(1, dev("c"))
			return nil
		})
		if got := counts(lines(t, one, table.Filter, chain.Input)); err != nil || runs != 2 || got != "0 c, 0 b, 0 a" {
			t.Errorf("%d runs, %v: %s", runs, err, got)
		}
		if last := commits[len(commits)-1]; len(commits) != 2 || last.Conflicts != 1 {
			t.Errorf("observed %+v", commits)
		}
		plan, err := one.PlanEdit(ctx, func(e *backend.Edit) error { e.Chain(table.Filter, chain.Input).Flush(); return nil })
		if err != nil {
			t.Fatal(err)
		}
		edit(t, two, table.Filter, chain.Input, func(c *backend.ChainEdit) { c.Append(dev("d")) })
		before := w.list(t)
		if err := plan.Commit(ctx); !errors.Is(err, backend.ErrConflict) || w.list(t) != before {
			t.Errorf("a stale plan: %v", err)
		}
		// A change elsewhere does not make a plan stale.
		plan, err = one.Plan(ctx, input(dev("e")))
		if err != nil {
			t.Fatal(err)
		}
		w.apply(t, w.open(t, backend.Config{Owner: "neighbour"}), mailhost())
		if err := plan.Commit(ctx); err != nil {
			t.Errorf("a plan beside a neighbour's commit: %v", err)
		}
		w.holds(t, one, input(dev("e")))
	})
}

// Whatever ends a context, before, during or in the middle of a large change,
// leaves either all of the change or nothing of it; and the error is the
// context's.
func TestACancelledContextLeavesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		w.apply(t, fw, input(dev("a")))
		before := w.list(t)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for what, try := range map[string]func() error{
			"Apply":    func() error { return fw.Apply(over, mailhost()) },
			"Check":    func() error { return fw.Check(over, mailhost()) },
			"Remove":   func() error { return fw.Remove(over) },
			"Plan":     func() error { _, err := fw.Plan(over, mailhost()); return err },
			"Read":     func() error { _, err := fw.Read(over); return err },
			"Snapshot": func() error { _, err := fw.Snapshot(over); return err },
			"Edit": func() error {
				return fw.Edit(over, func(e *backend.Edit) error { e.Chain(table.Filter, chain.Input).Flush(); return nil })
			},
		} {
			if err := try(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		}
		during, cancel := context.WithCancel(t.Context())
		err := fw.Edit(during, func(e *backend.Edit) error {
			e.Chain(table.Filter, chain.Input).Flush()
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || w.list(t) != before {
			t.Errorf("cancelled within Edit's function: %v\n%s", err, diff(before, w.list(t)))
		}
		// The function's own error is Edit's, as it is.
		own := errors.New("changed my mind")
		if err := fw.Edit(t.Context(), func(e *backend.Edit) error { e.Chain(table.Filter, chain.Input).Flush(); return own }); !errors.Is(err, own) || w.list(t) != before {
			t.Errorf("given up: %v", err)
		}
		var rules []rule.Rule
		for i := range 1000 {
			rules = append(rules, rule.Accept(match.Dports(nf.TCP, uint16(i+1), uint16(i+7))))
		}
		large := input(rules...)
		for _, after := range []time.Duration{time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			err := fw.Apply(ctx, large)
			cancel()
			switch now := w.list(t); {
			case err == nil:
				w.settled(t, fw, large)
				w.apply(t, fw, input(dev("a")))
				before = w.list(t)
			case !errors.Is(err, context.DeadlineExceeded):
				t.Errorf("after %v: %v", after, err)
			case now != before:
				t.Errorf("after %v: %v, and %d lines changed", after, err, len(now)-len(before))
			}
		}
	})
}

// Eight owners on one host are in nobody's way: each gets through, without trying again and again.
func TestOwnersDoNotStarveEachOther(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		var conflicts atomic.Int64
		var wg sync.WaitGroup
		for i := range writers {
			fw := w.open(t, backend.Config{
				Owner:   fmt.Sprint("owner", i),
				Observe: func(c backend.Commit) { conflicts.Add(int64(c.Conflicts)) },
			})
			wg.Go(func() {
				for k := range edits {
					err := fw.Edit(t.Context(), func(e *backend.Edit) error {
						e.Chain(table.Filter, chain.Input).Append(dev(fmt.Sprint("d", k)))
						return nil
					})
					if err != nil {
						t.Errorf("owner %d, edit %d: %v", i, k, err)
						return
					}
				}
				if tb, _ := read(t, fw).Table(table.Filter); tb.Len() != 1 {
					t.Errorf("owner %d has\n%v", i, tb)
				}
			})
		}
		wg.Wait()
		// An edit that reads nothing is made anew when anybody commits, which costs little;
		// what must not be is that it happens again and again.
		if n := conflicts.Load(); n > 2*edits*writers {
			t.Errorf("%d conflicts", n)
		}
	})
}

// Writers whose rules bring sets, which are staged in a transaction before the
// rules, do not take what another has staged, and leave none behind.
func TestWritersWithSets(t *testing.T) {
	ranges := func(i, k int) rule.Rule {
		first := uint16(1000 + 1000*i + 10*k)
		return rule.Accept(match.Multiport{Proto: nf.TCP, Dports: match.Is(nf.List(nf.PortRange(first, first+5), nf.Port(80)))})
	}
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		w.apply(t, fw, input(dev("first")))
		before := w.list(t)
		var wg sync.WaitGroup
		for i := range 4 {
			mine := w.client(t)
			wg.Go(func() {
				for k := range 20 {
					err := mine.Edit(t.Context(), func(e *backend.Edit) error {
						c := e.Chain(table.Filter, chain.Input)
						c.Append(ranges(i, k))
						if k > 0 {
							c.Delete(ranges(i, k-1))
						}
						// All of them share one.
						c.DeleteIfExists(ranges(9, k-1))
						c.AppendUnique(ranges(9, k))
						return nil
					})
					if err != nil {
						t.Errorf("writer %d, edit %d: %v", i, k, err)
						return
					}
				}
				if err := mine.Edit(t.Context(), func(e *backend.Edit) error {
					e.Chain(table.Filter, chain.Input).Delete(ranges(i, 19))
					return nil
				}); err != nil {
					t.Errorf("writer %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		edit(t, fw, table.Filter, chain.Input, func(c *backend.ChainEdit) { c.Set(dev("first")) })
		if now := w.list(t); now != before {
			t.Errorf("left behind:\n%s", diff(before, now))
		}
	})
}
