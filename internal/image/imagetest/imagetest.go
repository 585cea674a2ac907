// Package imagetest holds edits that are made from an image of the tables to edits that
// are made with all of them read.
package imagetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Spy is a driver that counts what is asked of it.
type Spy struct {
	driver.Driver
	Full  atomic.Int64 // readings of every rule
	Parts atomic.Int64 // readings of some chains' rules
	Ops   atomic.Int64 // operations that were committed
}

// Read counts.
func (s *Spy) Read(ctx context.Context, scope driver.Scope) (*driver.State, error) {
	switch {
	case scope.Bare:
	case scope.Chain == nil:
		s.Full.Add(1)
	default:
		s.Parts.Add(1)
	}
	return s.Driver.Read(ctx, scope)
}

// Commit counts.
func (s *Spy) Commit(ctx context.Context, b driver.Batch) error {
	err := s.Driver.Commit(ctx, b)
	if err == nil {
		s.Ops.Add(int64(len(b.Ops)))
	}
	return err
}

// Host is one of two that must stay alike: connections to it, and what somebody else does
// to it, by number; nil: nobody does.
type Host struct {
	Dial    func() driver.Driver
	Foreign func(n int)
}

// Case is an owner's table.
type Case struct {
	Owner string
	Table table.ID
	Steps int
	Seed  uint64
}

// Run edits two hosts at random, the one from an image and by two Firewalls in turn, the
// other without: rules and errors are the same, and nothing is left to do.
func Run(t *testing.T, c Case, one, other Host) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	spy := &Spy{Driver: one.Dial()}
	never := func(context.Context, *backend.Snapshot, *backend.Snapshot) error { return nil }
	quick := []*backend.Firewall{open(t, backend.Config{Owner: c.Owner}, spy), open(t, backend.Config{Owner: c.Owner}, spy)}
	slow := open(t, backend.Config{Owner: c.Owner, Guards: []backend.Guard{never}}, other.Dial())
	start := table.NewRuleset(table.New(c.Table,
		chain.BuiltIn(chain.Input, chain.Accept, many(0, 1024)...), chain.BuiltIn(chain.Output, chain.Drop),
		chain.New("u", many(2000, 700)...), chain.New("v", many(3000, 5)...), chain.New("w", rule.Jump("v"))))
	for _, fw := range []*backend.Firewall{quick[0], slow} {
		if err := fw.Apply(ctx, start); err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(c.Seed, 1))
	full := 0
	for n := range c.Steps {
		if one.Foreign != nil && r.IntN(8) == 0 {
			k := r.IntN(1 << 16)
			one.Foreign(k)
			other.Foreign(k)
		}
		seed := r.Uint64()
		fw := quick[0]
		if r.IntN(4) == 0 {
			fw = quick[1]
		}
		before := spy.Full.Load()
		said := ""
		script := func(e *backend.Edit) error { said = edit(e, c.Table, rand.New(rand.NewPCG(seed, 2))); return nil }
		err := fw.Edit(ctx, script)
		quickly := said
		want := slow.Edit(ctx, script)
		if spy.Full.Load() > before {
			full++
		}
		if fmt.Sprint(err) != fmt.Sprint(want) || quickly != said {
			t.Fatalf("step %d: %s\n%v\nwant %s\n%v", n, quickly, err, said, want)
		}
		if got, want := read(ctx, t, fw), read(ctx, t, slow); !got.Equal(want) {
			t.Fatalf("step %d: %s\n%s", n, said, firstDifference(got.String(), want.String()))
		} else if p, err := fw.Plan(ctx, got); err != nil || !p.Empty() {
			t.Fatalf("step %d: %s\nleft to do: %v\n%v", n, said, err, p)
		}
	}
	t.Logf("%d of %d edits had everything read, %d operations", full, c.Steps, spy.Ops.Load())
	if full > c.Steps*3/4 {
		t.Errorf("%d of %d edits had everything read", full, c.Steps)
	}
}

func open(t *testing.T, cfg backend.Config, drv driver.Driver) *backend.Firewall {
	t.Helper()
	fw, err := backend.New(cfg, drv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fw.Close() })
	return fw
}

func read(ctx context.Context, t *testing.T, fw *backend.Firewall) table.Ruleset {
	t.Helper()
	rs, err := fw.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// many are rules of which no two are equal.
func many(from, n int) []rule.Rule {
	var out []rule.Rule
	for i := from; i < from+n; i++ {
		out = append(out, numbered(i))
	}
	return out
}

func numbered(i int) rule.Rule {
	return rule.Drop(match.Source(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})))
}

// edit does some verbs, and says which and what they answered.
func edit(e *backend.Edit, id table.ID, r *rand.Rand) string {
	said := ""
	names := []string{chain.Input, chain.Input, chain.Input, "u", "u", "v", chain.Output, "w", "missing"}
	for range 1 + r.IntN(3) {
		name := names[r.IntN(len(names))]
		c := e.Chain(id, name)
		n := r.IntN(1100)
		switch r.IntN(3) {
		case 0:
			n = 1 + r.IntN(6)
		case 1:
			n = 500 + r.IntN(20)
		}
		x := some(r)
		said += fmt.Sprintf("%s %d %v: ", name, n, x)
		switch r.IntN(16) {
		case 0, 1, 2:
			c.Append(x)
			said += "append"
		case 3, 4, 5:
			c.Insert(n, x)
			said += "insert"
		case 6, 7:
			c.DeleteAt(n)
			said += "delete at"
		case 8, 9:
			said += fmt.Sprint("delete if exists ", c.DeleteIfExists(x))
		case 10:
			c.Replace(n, x)
			said += "replace"
		case 11:
			c.AppendUnique(x)
			said += "append unique"
		case 12:
			c.InsertUnique(n, x, some(r))
			said += "insert unique"
		case 13:
			said += fmt.Sprint("has ", c.Has(x), c.Exists())
		case 14:
			c.Insert(n, many(10000+r.IntN(1000), 1+r.IntN(60))...)
			said += "insert many"
		case 15:
			said += rare(c, x, r)
		}
		said += "; "
	}
	return said
}

// rare are verbs that have everything read.
func rare(c *backend.ChainEdit, x rule.Rule, r *rand.Rand) string {
	switch r.IntN(5) {
	case 0:
		c.Delete(x)
		return "delete"
	case 1:
		c.Append(x, numbered(r.IntN(1000)))
		return fmt.Sprint("append, delete func ", c.DeleteFunc(func(y rule.Rule) bool { return y.Equal(x) }))
	case 2:
		c.Zero(1)
		return "zero"
	case 3:
		k := 0
		c.Append(x)
		for range c.Rules() {
			k++
		}
		return fmt.Sprint("append, rules ", k)
	}
	for i := range 40 {
		c.DeleteAt(100 + i)
	}
	return "delete many"
}

// some is a rule of any kind.
func some(r *rand.Rand) rule.Rule {
	switch r.IntN(24) {
	case 0:
		return rule.Return()
	case 1:
		return rule.Jump("v", match.In("lo"))
	case 2:
		return rule.Jump([]string{"u", "w", "v", "nowhere", "OUTPUT"}[r.IntN(5)])
	case 3:
		return rule.Goto("v")
	case 4:
		return rule.Accept(match.Dports(nf.TCP, uint16(1+r.IntN(3)), 80))
	case 5:
		return rule.Accept(match.Multiport{Proto: nf.UDP, Dports: match.Is(nf.List(nf.PortRange(10, 20), nf.Port(53)))})
	case 6:
		return numbered(r.IntN(9)).WithCounters(nf.Counters{Packets: uint64(r.IntN(5)), Bytes: 100})
	case 7:
		return rule.Accept(match.In("eth0"), match.Comment(fmt.Sprint("c", r.IntN(3))))
	case 8:
		return rule.Accept(match.In(""))
	case 9:
		return rule.New(target.Log{Prefix: "x"})
	case 10:
		return rule.Accept(match.Out("eth0"))
	}
	return numbered(r.IntN(1200) + 2000*r.IntN(2))
}

// firstDifference is the first line in which two texts differ.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: %q, want %q (%d and %d lines)", i+1, a[i], b[i], len(a), len(b))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}
