//go:build linux

package nft

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
	"golang.org/x/sys/unix"
)

// meanwhile commits, over a connection of its own, what change gives, again and
// again until the returned function is called, which returns how often.
func meanwhile(t *testing.T, h *lab.Host, pause time.Duration, change func(i int) []driver.Op) (stop func() int) {
	t.Helper()
	k := connect(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for ; ctx.Err() == nil; n++ {
			if err := k.Commit(ctx, driver.Batch{Ops: change(n)}); err != nil && ctx.Err() == nil {
				t.Errorf("commit %d: %v", n, err)
				return
			}
			time.Sleep(pause)
		}
	})
	return func() int {
		cancel()
		wg.Wait()
		return n
	}
}

// elsewhere is a change to a table that nobody reads.
func elsewhere(i int) []driver.Op {
	s := &p.Set{Name: "s", KeyLen: 4, Elements: []p.Element{{Key: p.Net32(7).Data}}}
	kind := driver.AddElements
	if i%2 == 1 {
		kind = driver.DeleteElements
	}
	return []driver.Op{{Kind: kind, Table: &p.Table{Family: p.IP, Name: "elsewhere"}, Set: s}}
}

func makeElsewhere(t *testing.T, k *kernel) {
	t.Helper()
	other := &p.Table{Family: p.IP, Name: "elsewhere"}
	mustCommit(t, k, driver.Op{Kind: driver.AddTable, Table: other},
		driver.Op{Kind: driver.AddSet, Table: other, Set: &p.Set{Name: "s", KeyLen: 4, Size: 9}})
}

func only(name string) driver.Scope {
	return driver.Scope{Table: func(_ p.Family, n string) bool { return n == name }}
}

// Others' commits, even more often than one Read takes, do not keep it from
// ending, nor make it read again and again.
func TestReadWhileOthersCommit(t *testing.T) {
	h := labtest.Host(t)
	k := connect(t, h)
	_, ops := pages(10, 500)
	mustCommit(t, k, ops...)
	makeElsewhere(t, k)
	stop := meanwhile(t, h, time.Millisecond, elsewhere)
	dumps := 0
	k.dumps.faults = &faults{send: func([]byte) error { dumps++; return nil }}
	for i := range 20 {
		s, err := k.Read(t.Context(), only("pages"))
		if err != nil {
			t.Fatal(err)
		}
		for j, c := range s.Program.Tables[0].Chains {
			if len(c.Rules) != 500 || !c.Rules[7].Same(plain(j*500+7)) {
				t.Fatalf("read %d: chain %s has %d rules", i, c.Name, len(c.Rules))
			}
		}
	}
	if n := stop(); n < 100 {
		t.Errorf("%d commits meanwhile", n)
	}
	// Generation, tables, chains, sets, ten chains' rules, generation; and, where
	// somebody committed, all but once more with one or two generations.
	if most := 20 * (15 + 20); dumps > most {
		t.Errorf("%d questions, want %d at most", dumps, most)
	}
}

// A snapshot is what some commit left, whatever was committed while it was read.
func TestSnapshotsAreOfOneCommit(t *testing.T) {
	h := labtest.Host(t)
	k := connect(t, h)
	makeSmall(t, k)
	const chains, elements = 40, 3000
	hash := &p.Set{Name: "hash", KeyType: 7, KeyLen: 4, Size: 2 * elements}
	tree := &p.Set{Name: "tree", KeyType: 7, KeyLen: 4, Flags: p.SetInterval}
	ops := []driver.Op{{Kind: driver.AddSet, Table: small, Set: hash}, {Kind: driver.AddSet, Table: small, Set: tree}}
	key := func(i int) string { return p.Net32(uint32(4 * i)).Data }
	pair := func(i int) []p.Element {
		return []p.Element{{Key: key(i)}, {Key: p.Net32(uint32(4*i + 2)).Data, End: true}}
	}
	for i := range elements {
		hash.Elements = append(hash.Elements, p.Element{Key: key(i + 1)})
		tree.Elements = append(tree.Elements, pair(i+1)...)
	}
	ops = append(ops, driver.Op{Kind: driver.AddElements, Table: small, Set: hash}, driver.Op{Kind: driver.AddElements, Table: small, Set: tree})
	for i := range chains {
		ops = append(ops, driver.Op{Kind: driver.AddChain, Table: small, Chain: &p.Chain{Name: fmt.Sprint("c", i)}})
	}
	mustCommit(t, k, ops...)
	// Every commit appends the same number to all chains, and moves one element.
	stop := meanwhile(t, h, 50*time.Millisecond, func(n int) (ops []driver.Op) {
		for i := range chains {
			c := &p.Chain{Name: fmt.Sprint("c", i)}
			if n%8 == 0 {
				ops = append(ops, driver.Op{Kind: driver.FlushChain, Table: small, Chain: c})
			}
			ops = append(ops, appendRule(c.Name, p.Immediate{Reg: 1, Value: p.Net32(uint32(n))}))
		}
		for _, s := range []*p.Set{hash, tree} {
			gone, come := *s, *s
			per := len(s.Elements) / elements
			gone.Elements = s.Elements[:per]
			come.Elements = []p.Element{{Key: key(elements + 1 + n)}}
			if per == 2 {
				come.Elements = pair(elements + 1 + n)
			}
			s.Elements = append(slices.Clone(s.Elements[per:]), come.Elements...)
			ops = append(ops, driver.Op{Kind: driver.DeleteElements, Table: small, Set: &gone}, driver.Op{Kind: driver.AddElements, Table: small, Set: &come})
		}
		return ops
	})
	reader := connect(t, h)
	for range 40 {
		s, err := reader.Read(t.Context(), driver.Scope{})
		if err != nil {
			t.Error(err)
			break
		}
		checkSnapshot(t, s.Program.Tables[0], elements)
	}
	if n := stop(); n < 5 {
		t.Errorf("%d commits meanwhile", n)
	}
}

// checkSnapshot looks whether all chains and sets are of one commit.
func checkSnapshot(t *testing.T, table *p.Table, elements int) {
	t.Helper()
	rules := p.Dump(nil)
	for i, c := range table.Chains[1:] {
		dump := ""
		for _, r := range c.Rules {
			dump += p.Dump(r.Exprs)
		}
		if i == 0 {
			rules = dump
		}
		if dump != rules {
			t.Errorf("chain %s has\n%sanother\n%s", c.Name, dump, rules)
			break
		}
	}
	first := map[string]string{}
	for _, s := range table.Sets {
		keys := []string{}
		for _, e := range s.Elements {
			if !e.End {
				keys = append(keys, e.Key)
			}
		}
		slices.Sort(keys)
		if len(keys) != elements || len(slices.Compact(slices.Clone(keys))) != elements {
			t.Errorf("set %s has %d elements", s.Name, len(keys))
		}
		first[s.Name] = keys[0]
	}
	if elements > 0 && first["hash"] != first["tree"] {
		t.Errorf("the sets are of two commits: they begin with % x and % x", first["hash"], first["tree"])
	}
}

// Where what is read changes faster than it can be read, that is the error.
func TestUnstable(t *testing.T) {
	h := labtest.Host(t)
	k := connect(t, h)
	_, ops := pages(20, 500)
	mustCommit(t, k, ops...)
	makeElsewhere(t, k)
	pagesT := &p.Table{Family: p.IP, Name: "pages"}
	stop := meanwhile(t, h, 0, func(i int) []driver.Op {
		c := &p.Chain{Name: "p0"}
		return []driver.Op{{Kind: driver.FlushChain, Table: pagesT, Chain: c}, {Kind: driver.AddRule, Table: pagesT, Chain: c, Rule: plain(i)}}
	})
	k.patience = 100 * time.Millisecond
	if _, err := k.Read(t.Context(), only("pages")); !errors.Is(err, driver.ErrUnstable) {
		t.Errorf("%v, want ErrUnstable", err)
	}
	if _, err := k.Read(t.Context(), only("elsewhere")); err != nil {
		t.Errorf("another table: %v", err)
	}
	stop()
	if _, err := k.Read(t.Context(), only("pages")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Events that were lost make everything be read again, not be believed: here
// those of a large commit that changes what is read, before a small one that
// does not.
func TestLostEvents(t *testing.T) {
	h := labtest.Host(t)
	k := connect(t, h)
	makeSmall(t, k)
	makeElsewhere(t, k)
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprint("c", i))
		mustCommit(t, k, driver.Op{Kind: driver.AddChain, Table: small, Chain: &p.Chain{Name: names[i]}})
	}
	k.events.setBuffer(unix.SO_RCVBUF, unix.SO_RCVBUF, 4096)
	stop := meanwhile(t, h, 200*time.Microsecond, func(n int) (ops []driver.Op) {
		if n%2 == 0 {
			return append(elsewhere(0), elsewhere(1)...)
		}
		for range 100 {
			ops = append(ops, elsewhere(0)...)
			ops = append(ops, elsewhere(1)...)
		}
		for _, c := range names {
			ops = append(ops, driver.Op{Kind: driver.FlushChain, Table: small, Chain: &p.Chain{Name: c}},
				appendRule(c, p.Immediate{Reg: 1, Value: p.Net32(uint32(n))}))
		}
		return ops
	})
	defer stop()
	reader := connect(t, h)
	reader.events.setBuffer(unix.SO_RCVBUF, unix.SO_RCVBUF, 4096)
	for range 20 {
		s, err := reader.Read(t.Context(), only("small"))
		if err != nil {
			t.Fatal(err)
		}
		checkSnapshot(t, s.Program.Tables[0], 0)
	}
}

// A table that comes and goes is read whole or not at all.
func TestTableComesAndGoes(t *testing.T) {
	h := labtest.Host(t)
	k := connect(t, h)
	set := p.Lookup{Const: p.ConstSet{Type: p.TypeService, Len: 2, Elems: "\x00\x19\x00\x50"}, Reg: 1}
	stop := meanwhile(t, h, 300*time.Microsecond, func(i int) []driver.Op {
		if i%2 == 1 {
			return []driver.Op{{Kind: driver.DeleteTable, Table: small}}
		}
		ops := []driver.Op{{Kind: driver.AddTable, Table: small}, {Kind: driver.AddChain, Table: small, Chain: smallC}}
		return append(ops, slices.Repeat([]driver.Op{appendRule("c", load(p.Transport, 2, 2), set)}, 20)...)
	})
	defer stop()
	seen, missing := 0, 0
	for end := time.Now().Add(5 * time.Second); (seen < 20 || missing < 20) && time.Now().Before(end); {
		s, err := k.Read(t.Context(), driver.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Program.Tables) == 0 {
			missing++
		}
		for _, table := range s.Program.Tables {
			seen++
			if len(table.Chains) != 1 || len(table.Chains[0].Rules) != 20 || len(table.Sets) != 0 || table.Chains[0].Rules[19].Exprs[1] != set {
				t.Fatalf("half a table: %+v", table)
			}
		}
	}
	if seen == 0 || missing == 0 {
		t.Errorf("it was there %d times, and %d times not", seen, missing)
	}
}

// The kernel lists a set wrongly while it resizes it: right after a load.
func TestSetThatGrows(t *testing.T) {
	k := connect(t, labtest.Host(t))
	makeSmall(t, k)
	s := &p.Set{Name: "grows", KeyType: 7, KeyLen: 4, Flags: p.SetMap, DataType: 0xffffff00, DataLen: 16}
	for i := range 20000 {
		s.Elements = append(s.Elements, p.Element{Key: p.Net32(uint32(i)).Data, Verdict: p.Verdict{Kind: p.NFAccept}})
	}
	for range 5 {
		mustCommit(t, k, driver.Op{Kind: driver.AddSet, Table: small, Set: s}, driver.Op{Kind: driver.AddElements, Table: small, Set: s})
		got, err := k.Read(t.Context(), driver.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, e := range got.Program.Tables[0].Sets[0].Elements {
			seen[e.Key] = true
		}
		if n := len(got.Program.Tables[0].Sets[0].Elements); n != 20000 || len(seen) != n {
			t.Errorf("%d elements, %d different", n, len(seen))
		}
		mustCommit(t, k, driver.Op{Kind: driver.DeleteSet, Table: small, Set: s})
	}
}
