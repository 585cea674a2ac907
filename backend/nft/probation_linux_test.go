package nft

import (
	"errors"
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
	"golang.org/x/sys/unix"
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
	if !now.Equal(rs) {
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

// Somebody's rule that looks our set up keeps it from being taken away. Whoever
// changes something is told so, and can do it when the rule is gone.
func TestProbationSetInUse(t *testing.T) {
	host := labtest.Host(t)
	fw := openFirewall(t, host, backend.Config{Owner: "trial"})
	apply(t, fw, before().For(nf.IPv4))
	try(t, fw, after().For(nf.IPv4), 20*time.Millisecond)
	tool := oracle.Nft(t, host)
	tool.Must("add", "chain", "ip", "trial-filter", "stranger")
	tool.Must("add", "rule", "ip", "trial-filter", "stranger", "meta", "mark", "@gh.probation")
	time.Sleep(50 * time.Millisecond)
	if err := fw.Apply(t.Context(), before().For(nf.IPv4)); !errors.Is(err, unix.EBUSY) {
		t.Errorf("%v, want EBUSY", err)
	}
	tool.Must("flush", "chain", "ip", "trial-filter", "stranger")
	apply(t, fw, before().For(nf.IPv4))
	holds(t, fw, before().For(nf.IPv4), true)
}
