package chain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestPolicyCannotBeForgotten(t *testing.T) {
	for name, c := range map[string]chain.Chain{
		"INPUT without a policy":   chain.New(chain.Input),
		"a user chain with one":    chain.BuiltIn("DOCKER", chain.Drop),
		"none":                     chain.BuiltIn(chain.Input, 0),
		"a third":                  chain.BuiltIn(chain.Input, 3),
		"a user chain given one":   chain.New("DOCKER").WithPolicy(chain.Drop),
		"POSTROUTING kept":         chain.Keep(chain.Postrouting),
		"INPUT with its taken off": chain.BuiltIn(chain.Input, chain.Drop).WithPolicy(0),
	} {
		if err := c.Err(); !errors.Is(err, chain.ErrPolicy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (chain.Chain{}).Err(); !errors.Is(err, chain.ErrName) {
		t.Error(err)
	}
	c := chain.BuiltIn(chain.Input, chain.Drop).WithPolicy(chain.Accept)
	if p, ok := c.Policy(); c.Err() != nil || !ok || p != chain.Accept {
		t.Error(p, ok, c.Err())
	}
}

// What iptables -N says (1.8.9, both variants).
func TestNames(t *testing.T) {
	good := []string{
		"tcp", "accept", "ERROR", "COMMIT", "é", "..", "a/b", "a!b", "a'b", "a\\b", "#x", "*x", ":x", "[x", ",",
		"123", "f2b:sshd", "NAT", strings.Repeat("a", 28),
	}
	for _, name := range good {
		if err := chain.New(name).Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := []string{
		"", "-x", "!x", "a b", "a\tb", "a\nb", "a\rb", "ACCEPT", "DROP", "QUEUE", "RETURN", "standard", "REJECT", "LOG",
		"DNAT", "NFQUEUE", "NOTRACK", "CT", "ULOG", "XT", "NFT", `a"b`, strings.Repeat("a", 29),
	}
	for _, name := range bad {
		if err := chain.New(name).Err(); !errors.Is(err, chain.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestRulesAreNumberedFromOneAndNobodyElses(t *testing.T) {
	rules := []rule.Rule{rule.Accept(match.In("lo")), rule.Drop()}
	c := chain.New("X", rules...)
	d, e := c.With(rules...), chain.BuiltIn(chain.Input, chain.Drop, rules...)
	rules[0] = rule.Return()
	for _, c := range []chain.Chain{c, d, e} {
		var got []string
		for n, r := range c.Rules() {
			if s, ok := c.Rule(n); !ok || !s.Equal(r) {
				t.Error(n, r, s)
			}
			got = append(got, r.String())
		}
		if strings.Join(got, "|") != "-i lo -j ACCEPT|-j DROP" {
			t.Error(got)
		}
	}
	for _, n := range []int{-1, 0, 3} {
		if _, ok := c.Rule(n); ok {
			t.Error("there is no rule", n)
		}
	}
}

func TestWithKeepsTheRest(t *testing.T) {
	counters := nf.Counters{Packets: 1, Bytes: 2}
	c := chain.BuiltIn(chain.Input, chain.Drop, rule.Accept()).WithCounters(counters).With(rule.Drop())
	if p, _ := c.Policy(); p != chain.Drop || c.Counters() != counters || c.Name() != chain.Input || c.Len() != 1 {
		t.Error(c)
	}
}

func TestErrNamesTheFirstBadRule(t *testing.T) {
	c := chain.New("X", rule.Drop(), rule.Accept(match.In("")), rule.Jump(""))
	var e *chain.Error
	if !errors.As(c.Err(), &e) || e.Chain != "X" || e.Rule != 2 || !strings.HasPrefix(e.Error(), "X rule 2: ") {
		t.Error(c.Err())
	}
}

func TestEqual(t *testing.T) {
	a := chain.New("X", rule.Drop())
	for name, tc := range map[string]struct {
		b    chain.Chain
		want bool
	}{
		"itself":         {chain.New("X", rule.Drop()), true},
		"other counters": {chain.New("X", rule.Drop().WithCounters(nf.Counters{Packets: 1})), true},
		"other name":     {chain.New("Y", rule.Drop()), false},
		"other rule":     {chain.New("X", rule.Accept()), false},
		"more rules":     {chain.New("X", rule.Drop(), rule.Drop()), false},
		"kept":           {chain.Keep("X").With(rule.Drop()), false},
	} {
		if a.Equal(tc.b) != tc.want {
			t.Errorf("%s: %v", name, !tc.want)
		}
	}
	if chain.BuiltIn(chain.Input, chain.Drop).Equal(chain.BuiltIn(chain.Input, chain.Accept)) {
		t.Error("other policy")
	}
}
