package nft

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// before and after are two rulesets that differ in everything that a probation
// must deal with: policies, hooks, user chains that change, come and go, RETURN and
// GOTO of a base chain.
func before() table.Ruleset {
	return table.NewRuleset(
		table.New(table.Filter,
			chain.BuiltIn(chain.Input, chain.Drop, ssh(22), rule.Jump("same"), rule.Jump("other"), rule.Jump("old")),
			chain.New("same", rule.Return(match.In("lo"))),
			chain.New("other", ssh(25)),
			chain.New("old", ssh(26)),
			chain.BuiltIn(chain.Forward, chain.Drop),
		),
	)
}

func after() table.Ruleset {
	return table.NewRuleset(
		table.New(table.Filter,
			chain.BuiltIn(chain.Input, chain.Accept, rule.Return(match.In("lo")), rule.Jump("same"), rule.Jump("through"),
				rule.Goto("other", match.Proto(nf.TCP)), rule.Drop()),
			chain.New("same", rule.Return(match.In("lo"))),
			chain.New("other", ssh(80), ssh(443)),
			chain.New("through", rule.Jump("other")),
			chain.BuiltIn(chain.Output, chain.Accept, rule.Count()),
		),
		table.New(table.NAT, chain.BuiltIn(chain.Postrouting, chain.Accept, rule.New(target.Masquerade{}, match.Out("eth1")))),
	)
}

func apply(t *testing.T, fw *backend.Firewall, rs table.Ruleset) {
	t.Helper()
	if err := fw.Apply(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
}

// holds wants a ruleset to be in force, and, where clean, nothing else to be there.
func holds(t *testing.T, fw *backend.Firewall, rs table.Ruleset, clean bool) {
	t.Helper()
	now, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if now.String() != rs.String() {
		t.Errorf("in force is\n%s\nwant\n%s", now, rs)
	}
	if !clean {
		return
	}
	if p, err := fw.Plan(t.Context(), rs); err != nil || !p.Empty() {
		t.Errorf("it is not all: %v, %v", p, err)
	}
}

func try(t *testing.T, fw *backend.Firewall, rs table.Ruleset, d time.Duration) *backend.Probation {
	t.Helper()
	p, err := fw.Try(t.Context(), rs, d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProbation(t *testing.T) {
	for _, owner := range []string{"trial", backend.Iptables} {
		for name, end := range map[string]func(t *testing.T, p *backend.Probation) error{
			"confirmed": func(t *testing.T, p *backend.Probation) error { return p.Confirm(t.Context()) },
			"reverted":  func(t *testing.T, p *backend.Probation) error { return p.Revert(t.Context()) },
			"ended": func(t *testing.T, p *backend.Probation) error {
				if err := p.Extend(t.Context(), 20*time.Millisecond); err != nil {
					return err
				}
				time.Sleep(60 * time.Millisecond)
				if err := p.Confirm(t.Context()); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("confirmed too late: %v", err)
				}
				return nil
			},
		} {
			t.Run(owner+" "+name, func(t *testing.T) {
				host := labtest.Host(t)
				fw, second := openFirewall(t, host, backend.Config{Owner: owner}), openFirewall(t, host, backend.Config{Owner: owner})
				was, is := before(), after()
				if owner == backend.Iptables {
					was, is = was.For(nf.IPv4), is.For(nf.IPv4)
				}
				apply(t, fw, was)
				try(t, fw, is, 30*time.Second)
				holds(t, second, is, false)
				p, err := second.Probation(t.Context()) // another process takes over
				if err != nil {
					t.Fatal(err)
				}
				if d, err := p.Left(t.Context()); err != nil || d > 30*time.Second || d < 29*time.Second {
					t.Errorf("%v left, %v", d, err)
				}
				if err := second.Apply(t.Context(), was); !errors.Is(err, backend.ErrOnProbation) {
					t.Errorf("changed meanwhile: %v", err)
				}
				if _, err := second.Try(t.Context(), was, time.Second); !errors.Is(err, backend.ErrOnProbation) {
					t.Errorf("tried meanwhile: %v", err)
				}
				if err := end(t, p); err != nil {
					t.Fatal(err)
				}
				if name == "confirmed" {
					holds(t, fw, is, true)
				} else {
					holds(t, fw, was, name == "reverted")
					apply(t, fw, was) // whoever comes next tidies up
					holds(t, fw, was, true)
				}
				if text := oracle.Nft(t, host).List(); strings.Contains(text, "probation") || strings.Contains(text, ".try") {
					t.Errorf("something is left:\n%s", text)
				}
				if _, err := fw.Probation(t.Context()); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("still on probation: %v", err)
				}
			})
		}
	}
}

// Try refuses what is no time, and of nothing to change makes nothing.
func TestProbationOfNothing(t *testing.T) {
	fw := openFirewall(t, labtest.Host(t), backend.Config{Owner: "trial"})
	for _, d := range []time.Duration{0, -time.Second, 366 * 24 * time.Hour} {
		if _, err := fw.Try(t.Context(), before(), d); !errors.Is(err, backend.ErrInvalid) {
			t.Errorf("%v: %v", d, err)
		}
	}
	apply(t, fw, before())
	p := try(t, fw, before(), time.Minute)
	if _, err := fw.Probation(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := errors.Join(p.Extend(t.Context(), time.Second), p.Confirm(t.Context()), p.Revert(t.Context())); err != nil {
		t.Error(err)
	}
	holds(t, fw, before(), true)
}
