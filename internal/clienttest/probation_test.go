package clienttest

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// settled and tried are two rulesets that differ in everything that a probation
// must deal with: policies, hooks, user chains that change, come and go, RETURN and
// GOTO of a base chain.
func settled() table.Ruleset {
	return table.NewRuleset(
		table.New(table.Filter,
			chain.BuiltIn(chain.Input, chain.Drop, letIn(22), rule.Jump("same"), rule.Jump("other"), rule.Jump("old")),
			chain.New("same", rule.Return(match.In("lo"))),
			chain.New("other", letIn(25)),
			chain.New("old", letIn(26)),
			chain.BuiltIn(chain.Forward, chain.Drop),
		),
	)
}

func tried() table.Ruleset {
	return table.NewRuleset(
		table.New(table.Filter,
			chain.BuiltIn(chain.Input, chain.Accept, rule.Return(match.In("lo")), rule.Jump("same"), rule.Jump("through"),
				rule.Goto("other", match.Proto(nf.TCP)), rule.Drop()),
			chain.New("same", rule.Return(match.In("lo"))),
			chain.New("other", letIn(80), letIn(443)),
			chain.New("through", rule.Jump("other")),
			chain.BuiltIn(chain.Output, chain.Accept, rule.Count()),
		),
		table.New(table.NAT, chain.BuiltIn(chain.Postrouting, chain.Accept, rule.New(target.Masquerade{}, match.Out("eth1")))),
	)
}

func letIn(n uint16) rule.Rule { return rule.Accept(match.Dport(nf.TCP, n)) }

// trial is a probation that ends in one way or another.
type trial struct {
	world
	owner  string
	family nf.Family
	end    func(t *testing.T, w world, p *backend.Probation) error
	stays  bool // the new rules do
	late   bool // what it needed is still there until the next change
}

// Somebody tries a ruleset, another process sees it, and ends it; then one of both
// rulesets is in force, and nothing else is there.
func TestProbation(t *testing.T) {
	ends := map[string]trial{
		"confirmed": {stays: true, end: func(t *testing.T, _ world, p *backend.Probation) error { return p.Confirm(t.Context()) }},
		"reverted":  {end: func(t *testing.T, _ world, p *backend.Probation) error { return p.Revert(t.Context()) }},
		"ended": {late: true, end: func(t *testing.T, w world, p *backend.Probation) error {
			if err := p.Extend(t.Context(), 20*time.Millisecond); err != nil {
				return err
			}
			w.pass(60 * time.Millisecond)
			_, err := p.Left(t.Context())
			for what, err := range map[string]error{
				"confirmed": p.Confirm(t.Context()), "extended": p.Extend(t.Context(), time.Minute), "asked": err,
			} {
				if !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s too late: %v", what, err)
				}
			}
			return nil
		}},
		"extended and confirmed": {stays: true, end: func(t *testing.T, w world, p *backend.Probation) error {
			for range 5 {
				if err := p.Extend(t.Context(), 500*time.Millisecond); err != nil {
					return err
				}
				w.pass(200 * time.Millisecond)
			}
			return p.Confirm(t.Context())
		}},
		"reverted after its end": {end: func(t *testing.T, w world, p *backend.Probation) error {
			if err := p.Extend(t.Context(), 20*time.Millisecond); err != nil {
				return err
			}
			w.pass(60 * time.Millisecond)
			return p.Revert(t.Context())
		}},
	}
	for _, owner := range []struct {
		name string
		fam  nf.Family
	}{{"client", nf.Both}, {"client", nf.IPv4}, {"client", nf.IPv6}, {backend.Iptables, nf.IPv4}, {backend.Iptables, nf.IPv6}} {
		for name, x := range ends {
			t.Run(owner.name+" "+owner.fam.String()+" "+name, func(t *testing.T) {
				everywhere(t, func(t *testing.T, w world) {
					x.world, x.owner, x.family = w, owner.name, owner.fam
					x.run(t)
				})
			})
		}
	}
}

func (x trial) run(t *testing.T) {
	was, is := settled().For(x.family), tried().For(x.family)
	fw, second := x.open(t, backend.Config{Owner: x.owner}), x.open(t, backend.Config{Owner: x.owner})
	if err := fw.Apply(t.Context(), was); err != nil {
		t.Fatal(err)
	}
	if _, err := fw.Try(t.Context(), is, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	inForce(t, second, is)
	p, err := second.Probation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d, err := p.Left(t.Context()); err != nil || d > 30*time.Second || d < 20*time.Second {
		t.Errorf("%v left, %v", d, err)
	}
	x.busy(t, second, was)
	if err := x.end(t, x.world, p); err != nil {
		t.Fatal(err)
	}
	final := was
	if x.stays {
		final = is
	}
	inForce(t, fw, final)
	if x.late { // whoever comes next tidies up
		if err := fw.Apply(t.Context(), final); err != nil {
			t.Fatal(err)
		}
	}
	if plan, err := fw.Plan(t.Context(), final); err != nil || !plan.Empty() {
		t.Errorf("left to do: %v, %v", plan, err)
	}
	inForce(t, fw, final)
	if text := x.list(t); strings.Contains(text, "probation") || strings.Contains(text, ".try") {
		t.Errorf("something is left:\n%s", text)
	}
	if _, err := fw.Probation(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still on probation: %v", err)
	}
	x.reload(t)
}

// busy wants every other change to be refused.
func (x trial) busy(t *testing.T, fw *backend.Firewall, rs table.Ruleset) {
	t.Helper()
	nothing := func(e *backend.Edit) error { return nil }
	for what, do := range map[string]func() error{
		"applied": func() error { return fw.Apply(t.Context(), rs) },
		"edited": func() error {
			return fw.Edit(t.Context(), func(e *backend.Edit) error {
				e.Chain(table.Filter.For(x.family), chain.Input).Append(letIn(99))
				return nil
			})
		},
		"tried":        func() error { _, err := fw.Try(t.Context(), rs, time.Second); return err },
		"planned":      func() error { _, err := fw.Plan(t.Context(), rs); return err },
		"planned edit": func() error { _, err := fw.PlanEdit(t.Context(), nothing); return err },
	} {
		if err := do(); !errors.Is(err, backend.ErrOnProbation) {
			t.Errorf("%s meanwhile: %v", what, err)
		}
	}
}

// inForce wants a ruleset to be what is read.
func inForce(t *testing.T, fw *backend.Firewall, rs table.Ruleset) {
	t.Helper()
	if now := read(t, fw); !now.Equal(rs) {
		t.Errorf("in force is something else (-want +got):\n%s", diff(rs.String(), now.String()))
	}
}

// Try refuses what is no time, and of nothing to change makes nothing.
func TestProbationOfNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		for _, d := range []time.Duration{0, -time.Second, time.Millisecond - 1, 366 * 24 * time.Hour} {
			if _, err := fw.Try(t.Context(), settled(), d); !errors.Is(err, backend.ErrInvalid) {
				t.Errorf("%v: %v", d, err)
			}
		}
		if _, err := fw.Probation(t.Context()); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		w.apply(t, fw, settled())
		p, err := fw.Try(t.Context(), settled(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fw.Probation(t.Context()); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if d, err := p.Left(t.Context()); d != 0 || err != nil {
			t.Errorf("%v left, %v", d, err)
		}
		if err := errors.Join(p.Extend(t.Context(), time.Second), p.Confirm(t.Context()), p.Revert(t.Context())); err != nil {
			t.Error(err)
		}
		w.holds(t, fw, settled())
	})
}

// The first ruleset of all can be tried: what it goes back to is nothing.
func TestProbationFromNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		if _, err := fw.Try(t.Context(), tried(), 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		w.pass(60 * time.Millisecond)
		inForce(t, fw, table.NewRuleset())
		p, err := fw.Try(t.Context(), tried(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Confirm(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.holds(t, fw, tried())
	})
}

// A Firewall that has made edits before, and remembers what it saw, edits nothing while
// another one's change is on probation, and goes on from what is in force after it.
func TestEditsAroundProbation(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw, other := w.client(t), w.client(t)
		w.apply(t, fw, settled())
		n := uint16(1000)
		add := func() error {
			n++
			return fw.Edit(t.Context(), func(e *backend.Edit) error {
				e.Chain(table.Filter, "other").Append(letIn(n))
				return nil
			})
		}
		for _, confirmed := range []bool{false, true, false} {
			for range 3 {
				if err := add(); err != nil {
					t.Fatal(err)
				}
			}
			was := read(t, fw)
			is, _ := was.Table(table.Filter)
			is = is.WithChain(chain.New("other", letIn(80), letIn(n)))
			p, err := other.Try(t.Context(), was.With(is), 200*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if err := add(); !errors.Is(err, backend.ErrOnProbation) {
				t.Errorf("edited meanwhile: %v", err)
			}
			if confirmed {
				if err := p.Confirm(t.Context()); err != nil {
					t.Fatal(err)
				}
				was = was.With(is)
			} else {
				w.pass(300 * time.Millisecond)
			}
			if err := add(); err != nil {
				t.Fatal(err)
			}
			want, _ := was.Table(table.Filter)
			c, _ := want.Chain("other")
			var rules []rule.Rule
			for _, r := range c.Rules() {
				rules = append(rules, r)
			}
			w.holds(t, other, was.With(want.WithChain(c.With(append(rules, letIn(n))...))))
		}
	})
}
