package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/sim"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// open makes a host with one owner's firewall.
func open(t *testing.T, cfg backend.Config) (*sim.Host, *backend.Firewall) {
	t.Helper()
	h := sim.New(sim.Config{})
	if cfg.Owner == "" {
		cfg.Owner = "x"
	}
	fw, err := h.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fw.Close() })
	return h, fw
}

func input(rules ...rule.Rule) table.Ruleset {
	return table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop, rules...)))
}

func TestOwnerMustBeSaid(t *testing.T) {
	for _, cfg := range []backend.Config{
		{}, {Owner: "Upper"}, {Owner: "1st"}, {Owner: strings.Repeat("x", 33)},
		{Owner: "x", Offset: 91}, {Owner: "x", Offset: -50}, {Owner: backend.Iptables, Offset: 1},
	} {
		if _, err := sim.New(sim.Config{}).Open(t.Context(), cfg); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

func TestABadRuleNamesItsPlace(t *testing.T) {
	var rules []rule.Rule
	for range 499 {
		rules = append(rules, rule.Accept(match.In("lo")))
	}
	rules = append(rules, rule.Accept(match.In("")))
	_, fw := open(t, backend.Config{})
	err := fw.Apply(t.Context(), input(rules...))
	if !errors.Is(err, backend.ErrInvalid) || !strings.Contains(err.Error(), "filter INPUT rule 500") {
		t.Error(err)
	}
	if es := backend.Errors(err); len(es) != 1 || es[0].Rule != 500 || es[0].Chain != "INPUT" || es[0].Table != table.Filter {
		t.Errorf("%+v", es)
	}
}

func TestAFailedVerbCommitsNothing(t *testing.T) {
	_, fw := open(t, backend.Config{})
	err := fw.Edit(t.Context(), func(e *backend.Edit) error {
		e.Chain(table.Filter, chain.Input).Append(rule.Accept(match.In("lo")))
		e.Chain(table.Filter, "MISSING").Append(rule.Drop())
		return nil // the caller looked at nothing
	})
	var be *backend.Error
	if !errors.As(err, &be) || be.Chain != "MISSING" || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if rs, _ := fw.Read(t.Context()); rs.Len() != 0 {
		t.Error(rs)
	}
}

func TestWhatWasAppliedIsReadAndNothingIsLeftToDo(t *testing.T) {
	ctx := t.Context()
	h, fw := open(t, backend.Config{})
	rs := table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop, rule.Accept(match.In("lo")), rule.Jump("log", match.Proto(nf.TCP))),
		chain.BuiltIn(chain.Output, chain.Accept),
		chain.New("log", rule.Return(match.Comment("why not")), rule.Drop()),
	))
	if err := fw.Apply(ctx, rs); err != nil {
		t.Fatal(err)
	}
	got, err := fw.Read(ctx)
	if err != nil || !got.Equal(rs) {
		t.Errorf("read\n%v, %v", got, err)
	}
	p, err := fw.Plan(ctx, rs)
	if err != nil || !p.Empty() || p.String() != "" {
		t.Errorf("left to do: %v, %v", p, err)
	}
	snap, err := fw.Snapshot(ctx)
	if err != nil || !snap.Ours().Equal(rs) || len(snap.Others()) != 0 {
		t.Errorf("%+v, %v", snap, err)
	}
	second, err := h.Open(ctx, backend.Config{Owner: "y"})
	if err != nil {
		t.Fatal(err)
	}
	snap, err = second.Snapshot(ctx)
	if err != nil || len(snap.Others()) != 1 || snap.Others()[0].Maker != "x" || snap.Ours().Len() != 0 {
		t.Errorf("another owner sees %+v, %v", snap, err)
	}
	if err := fw.Remove(ctx); err != nil {
		t.Fatal(err)
	}
	if got, _ := fw.Read(ctx); got.Len() != 0 {
		t.Errorf("after Remove: %v", got)
	}
}

func TestEditVerbs(t *testing.T) {
	ctx := t.Context()
	_, fw := open(t, backend.Config{})
	in := func(name string) rule.Rule { return rule.Accept(match.In(name)) }
	steps := []struct {
		name string
		edit func(c *backend.ChainEdit)
		want string
		err  error
	}{
		{"append", func(c *backend.ChainEdit) { c.Append(in("a"), in("b")) }, "a b", nil},
		{"insert", func(c *backend.ChainEdit) { c.Insert(2, in("c")) }, "a c b", nil},
		{"insert at the end", func(c *backend.ChainEdit) { c.Insert(4, in("d")) }, "a c b d", nil},
		{"insert beyond", func(c *backend.ChainEdit) { c.Insert(6, in("e")) }, "a c b d", fs.ErrNotExist},
		{"append what is there", func(c *backend.ChainEdit) { c.AppendUnique(in("a"), in("e")) }, "a c b d e", nil},
		{"replace", func(c *backend.ChainEdit) { c.Replace(1, in("f")) }, "f c b d e", nil},
		{"delete", func(c *backend.ChainEdit) { c.Delete(in("b")) }, "f c d e", nil},
		{"delete what is gone", func(c *backend.ChainEdit) { c.Delete(in("b")) }, "f c d e", fs.ErrNotExist},
		{"delete if there", func(c *backend.ChainEdit) {
			if c.DeleteIfExists(in("b")) || !c.DeleteIfExists(in("f")) {
				t.Error("the wrong answer")
			}
		}, "c d e", nil},
		{"delete by number", func(c *backend.ChainEdit) { c.DeleteAt(2) }, "c e", nil},
		{"set", func(c *backend.ChainEdit) { c.Set(in("e"), in("x")) }, "e x", nil},
		{"flush", func(c *backend.ChainEdit) { c.Flush() }, "", nil},
	}
	for _, s := range steps {
		err := fw.Edit(ctx, func(e *backend.Edit) error {
			s.edit(e.Chain(table.Filter, chain.Input))
			return nil
		})
		if !errors.Is(err, s.err) {
			t.Errorf("%s: %v", s.name, err)
		}
		if got := names(ctx, t, fw, chain.Input); got != s.want {
			t.Errorf("%s: %q, want %q", s.name, got, s.want)
		}
	}
}

// names are the interfaces that a chain's rules name.
func names(ctx context.Context, t *testing.T, fw *backend.Firewall, name string) string {
	t.Helper()
	rs, err := fw.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tb, _ := rs.Table(table.Filter)
	c, _ := tb.Chain(name)
	var out []string
	for _, r := range c.Rules() {
		i, _ := rule.Find[match.Iface](r)
		n, _, _ := i.Device.Get()
		out = append(out, n)
	}
	return strings.Join(out, " ")
}

func TestEditChains(t *testing.T) {
	ctx := t.Context()
	_, fw := open(t, backend.Config{})
	edit := func(fn func(e *backend.Edit)) error {
		return fw.Edit(ctx, func(e *backend.Edit) error { fn(e); return nil })
	}
	if err := edit(func(e *backend.Edit) {
		e.Chain(table.Filter, "A").New()
		e.Chain(table.Filter, "A").Append(rule.Accept(match.In("a")))
		e.Chain(table.Filter, chain.Input).Append(rule.Jump("A"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := edit(func(e *backend.Edit) { e.Chain(table.Filter, "A").New() }); !errors.Is(err, fs.ErrExist) {
		t.Error("made twice:", err)
	}
	if err := edit(func(e *backend.Edit) { e.Chain(table.Filter, "A").Remove() }); !errors.Is(err, backend.ErrInUse) {
		t.Error("a jump is left behind:", err)
	}
	// Rename, make the old name anew, append: sent as they come these go wrong in
	// the kernel, computed to a final state they do not.
	if err := edit(func(e *backend.Edit) {
		c := e.Chain(table.Filter, "A")
		c.Rename("B")
		n := e.Chain(table.Filter, "A")
		n.New()
		n.Append(rule.Accept(match.In("new")))
	}); err != nil {
		t.Fatal(err)
	}
	if a, b := names(ctx, t, fw, "A"), names(ctx, t, fw, "B"); a != "new" || b != "a" {
		t.Errorf("A has %q, B has %q", a, b)
	}
	rs, _ := fw.Read(ctx)
	tb, _ := rs.Table(table.Filter)
	c, _ := tb.Chain(chain.Input)
	if r, _ := c.Rule(1); r.String() != "-j B" {
		t.Errorf("INPUT has %v", r)
	}
}

func TestConflictsAreRetriedAndBounded(t *testing.T) {
	ctx := t.Context()
	h, fw := open(t, backend.Config{Retries: 3})
	other, err := h.Open(ctx, backend.Config{Owner: "x"})
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	bump := func(e *backend.Edit) error {
		runs++
		e.Chain(table.Filter, chain.Input).Append(rule.Accept(match.In(fmt.Sprint("r", runs))))
		return other.Edit(ctx, func(e *backend.Edit) error {
			e.Chain(table.Filter, chain.Input).Insert(1, rule.Accept(match.In(fmt.Sprint("o", runs))))
			return nil
		})
	}
	if err := fw.Edit(ctx, bump); !errors.Is(err, backend.ErrConflict) || runs != 4 {
		t.Errorf("%d runs, %v", runs, err)
	}
	once := false
	if err := fw.Edit(ctx, func(e *backend.Edit) error {
		e.Chain(table.Filter, chain.Input).Append(rule.Accept(match.In("mine")))
		if once {
			return nil
		}
		once = true
		return other.Edit(ctx, func(e *backend.Edit) error {
			e.Chain(table.Filter, chain.Input).Flush()
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	if got := names(ctx, t, fw, chain.Input); got != "mine" {
		t.Errorf("%q: an update was lost", got)
	}
}

// What somebody does elsewhere in the namespace is no conflict.
func TestNeighboursDoNotStarveUs(t *testing.T) {
	ctx := t.Context()
	h, fw := open(t, backend.Config{Retries: 1})
	other, err := h.Open(ctx, backend.Config{Owner: "neighbour"})
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	err = fw.Edit(ctx, func(e *backend.Edit) error {
		runs++
		e.Chain(table.Filter, chain.Input).Append(rule.Drop())
		return other.Edit(ctx, func(e *backend.Edit) error {
			e.Chain(table.Filter, chain.Input).Append(rule.Drop())
			return nil
		})
	})
	if err != nil || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
}

func TestAPlanGoesStaleWithWhatItTouches(t *testing.T) {
	ctx := t.Context()
	_, fw := open(t, backend.Config{})
	p, err := fw.Plan(ctx, input(rule.Drop()))
	if err != nil {
		t.Fatal(err)
	}
	if want := "+ filter :INPUT DROP\n+ filter INPUT 1: -j DROP\n"; p.String() != want {
		t.Errorf("got\n%swant\n%s", p, want)
	}
	if err := p.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	q, err := fw.Plan(ctx, input(rule.Accept(match.In("lo")), rule.Drop()))
	if err != nil {
		t.Fatal(err)
	}
	if err := fw.Apply(ctx, input()); err != nil {
		t.Fatal(err)
	}
	if err := q.Commit(ctx); !errors.Is(err, backend.ErrConflict) {
		t.Errorf("a stale plan: %v", err)
	}
}

func TestGuardsSeeBeforeAndAfter(t *testing.T) {
	ctx := t.Context()
	locked := errors.New("locks the administrator out")
	var guard backend.Guard = func(_ context.Context, before, after *backend.Snapshot) error {
		b, _ := before.Ours().Table(table.Filter)
		a, _ := after.Ours().Table(table.Filter)
		c, _ := a.Chain(chain.Input)
		if b.Len() != 0 || c.Len() == 0 {
			return locked
		}
		return nil
	}
	_, fw := open(t, backend.Config{Guards: []backend.Guard{guard}})
	if err := fw.Apply(ctx, input()); !errors.Is(err, backend.ErrRefused) || !errors.Is(err, locked) {
		t.Errorf("let through: %v", err)
	}
	if rs, _ := fw.Read(ctx); rs.Len() != 0 {
		t.Error("refused, and done")
	}
	if err := fw.Apply(ctx, input(rule.Accept(match.In("lo")))); err != nil {
		t.Error(err)
	}
}

func TestCountersOfFlushedRulesBeginAnew(t *testing.T) {
	ctx := t.Context()
	_, fw := open(t, backend.Config{})
	counted := rule.Accept(match.In("lo")).WithCounters(nf.Counters{Packets: 7, Bytes: 70})
	if err := fw.Apply(ctx, input(counted, rule.Drop())); err != nil {
		t.Fatal(err)
	}
	check := func(want nf.Counters) {
		t.Helper()
		rs, _ := fw.Read(ctx)
		tb, _ := rs.Table(table.Filter)
		c, _ := tb.Chain(chain.Input)
		if r, _ := c.Rule(1); r.Counters() != want {
			t.Errorf("counters %v, want %v", r.Counters(), want)
		}
	}
	check(nf.Counters{Packets: 7, Bytes: 70})
	if err := fw.Apply(ctx, input(rule.Accept(match.In("lo")), rule.Accept())); err != nil {
		t.Fatal(err)
	}
	check(nf.Counters{Packets: 7, Bytes: 70}) // the rule stayed
	edit := func(fn func(c *backend.ChainEdit)) {
		t.Helper()
		if err := fw.Edit(ctx, func(e *backend.Edit) error { fn(e.Chain(table.Filter, chain.Input)); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	edit(func(c *backend.ChainEdit) { c.Set(rule.Accept(match.In("lo"))) })
	check(nf.Counters{Packets: 7, Bytes: 70})
	edit(func(c *backend.ChainEdit) { c.Flush(); c.Append(rule.Accept(match.In("lo"))) })
	check(nf.Counters{})
	edit(func(c *backend.ChainEdit) { c.Replace(1, counted) })
	check(nf.Counters{Packets: 7, Bytes: 70})
	edit(func(c *backend.ChainEdit) { c.Zero(1) })
	check(nf.Counters{})
}

func TestOneFamilyOfATableForBoth(t *testing.T) {
	ctx := t.Context()
	_, fw := open(t, backend.Config{})
	if err := fw.Apply(ctx, input(rule.Drop())); err != nil {
		t.Fatal(err)
	}
	v4 := table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Accept))
	v6 := table.New(table.Filter.IPv6(), chain.BuiltIn(chain.Input, chain.Drop))
	if err := fw.Apply(ctx, table.NewRuleset(v4)); !errors.Is(err, backend.ErrInvalid) {
		t.Errorf("half of it: %v", err)
	}
	both := table.NewRuleset(v4, v6)
	if err := fw.Apply(ctx, both); err != nil {
		t.Fatal(err)
	}
	if got, err := fw.Read(ctx); err != nil || !got.Equal(both) {
		t.Errorf("read\n%v, %v", got, err)
	}
	if err := fw.Apply(ctx, input(rule.Drop())); err != nil {
		t.Fatal(err)
	}
	if got, err := fw.Read(ctx); err != nil || !got.Equal(input(rule.Drop())) {
		t.Errorf("read\n%v, %v", got, err)
	}
}
