package table_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// lint is the warnings about the chains of a table.
func lint(id table.ID, chains ...chain.Chain) (out []string) {
	for w := range table.Lint(table.NewRuleset(table.New(id, chains...))) {
		out = append(out, w.String())
	}
	return out
}

// forward is a chain whose policy warns of nothing.
func forward(rules ...rule.Rule) chain.Chain {
	return chain.BuiltIn(chain.Forward, chain.Drop, rules...)
}

func TestLintOfRules(t *testing.T) {
	a4, a6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	any4 := netip.MustParsePrefix("0.0.0.0/0")
	for name, tc := range map[string]struct {
		id    table.ID
		rules []rule.Rule
		want  []string // beginnings, behind "FORWARD "
	}{
		"nothing":                   {table.Filter, nil, nil},
		"different rules":           {table.Filter, []rule.Rule{rule.Accept(match.In("a")), rule.Accept(match.In("b")), rule.Drop()}, nil},
		"behind everything":         {table.Filter, []rule.Rule{rule.Drop(), rule.Accept(match.In("a")), rule.Drop()}, []string{"rule 2: no packet comes here: rule 1", "rule 3: no packet comes here: rule 1"}},
		"a comment hides nothing":   {table.Filter, []rule.Rule{rule.Drop(match.Comment("x")), rule.Count()}, []string{"rule 2: no packet comes here: rule 1"}},
		"behind everything of IPv4": {table.Filter, []rule.Rule{rule.Drop(match.Only(nf.IPv4)), rule.Count(), rule.Count(match.Only(nf.IPv4))}, []string{"rule 3: no packet comes here: rule 1"}},
		"behind both halves":        {table.Filter, []rule.Rule{rule.Drop(match.Only(nf.IPv4)), rule.Drop(match.Only(nf.IPv6)), rule.Count()}, []string{"rule 3: no packet comes here: rule 2"}},
		"behind a count":            {table.Filter, []rule.Rule{rule.Count(), rule.Count()}, nil},
		"behind a goto":             {table.Filter, []rule.Rule{rule.Goto("x"), rule.Count()}, []string{"rule 2: no packet comes here: rule 1"}},
		"behind a jump":             {table.Filter, []rule.Rule{rule.Jump("x"), rule.Count()}, nil},
		"the same again":            {table.Filter, []rule.Rule{rule.Drop(match.In("a")), rule.Count(), rule.Drop(match.In("a"))}, []string{"rule 3: no packet matches it that rule 1 has not taken"}},
		"as the limit allows":       {table.Filter, []rule.Rule{rule.Drop(match.Limit{}), rule.Drop(match.Limit{})}, nil},
		"counting again":            {table.Filter, []rule.Rule{rule.Count(match.In("a")), rule.Count(match.In("a"))}, nil},
		"no address":                {table.Filter.IPv4(), []rule.Rule{rule.Drop(match.NotSource(any4))}, []string{"rule 1: no packet can match it: ! -s 0.0.0.0/0 excludes"}},
		"no interface":              {table.Filter, []rule.Rule{rule.Drop(match.ParseIface(false, true, "+"))}, []string{"rule 1: no packet can match it: ! -i + excludes"}},
		"no port":                   {table.Filter, []rule.Rule{rule.Drop(match.TCP{Dport: match.Not(nf.PortRange(0, 65535))})}, []string{"rule 1: no packet can match it: it excludes every port"}},
		"no flags":                  {table.Filter, []rule.Rule{rule.Drop(match.TCP{Flags: match.Is(match.Flags(1, 2))})}, []string{"rule 1: no packet can match it: --tcp-flags"}},
		"such flags":                {table.Filter, []rule.Rule{rule.Drop(match.TCP{Flags: match.Is(match.SYN)})}, nil},
		"IPv4 for both":             {table.Filter, []rule.Rule{rule.Accept(match.Source(a4))}, []string{"rule 1: is for IPv4 only"}},
		"its twin for IPv6":         {table.Filter, []rule.Rule{rule.Accept(match.Source(a4)), rule.Accept(match.Source(a6))}, nil},
		"IPv4 on purpose":           {table.Filter, []rule.Rule{rule.Accept(match.Only(nf.IPv4), match.Source(a4))}, nil},
		"IPv4 for IPv4":             {table.Filter.IPv4(), []rule.Rule{rule.Accept(match.Source(a4))}, nil},
	} {
		got := lint(tc.id, forward(tc.rules...), chain.Keep("x"))
		ok := len(got) == len(tc.want)
		for i := range min(len(got), len(tc.want)) {
			ok = ok && strings.HasPrefix(got[i], tc.id.String()+" FORWARD "+tc.want[i])
		}
		if !ok {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestLintOfPolicies(t *testing.T) {
	lo, accept := rule.Accept(match.In("lo")), rule.Accept()
	icmp := rule.Accept(match.Proto(nf.ICMPv6))
	echo := rule.Accept(match.ICMP6{Type: match.Is(nf.Type(128))})
	const loopback, neighbours = "no rule accepts loopback", "no rule accepts neighbour discovery"
	for name, tc := range map[string]struct {
		id     table.ID
		chains []chain.Chain
		want   []string // parts
	}{
		"neither":           {table.Filter, []chain.Chain{input()}, []string{loopback, neighbours}},
		"both":              {table.Filter, []chain.Chain{input(lo, icmp)}, nil},
		"everything":        {table.Filter, []chain.Chain{input(accept)}, nil},
		"IPv4":              {table.Filter.IPv4(), []chain.Chain{input(lo)}, nil},
		"IPv6":              {table.Filter.IPv6(), []chain.Chain{input(lo)}, []string{neighbours}},
		"only echo":         {table.Filter, []chain.Chain{input(lo, echo)}, []string{neighbours}},
		"the ready rules":   {table.Filter, []chain.Chain{input(append(rule.NeighborDiscovery(), lo)...)}, nil},
		"in another chain":  {table.Filter, []chain.Chain{input(lo, rule.Jump("n", match.Proto(nf.ICMPv6))), chain.New("n", rule.NeighborDiscovery()...)}, nil},
		"all of another":    {table.Filter, []chain.Chain{input(rule.Jump("n", match.In("lo"))), chain.New("n", accept)}, nil},
		"all but UDP":       {table.Filter, []chain.Chain{input(rule.Accept(match.NotProto(nf.UDP)))}, []string{loopback}},
		"all but ICMPv6":    {table.Filter, []chain.Chain{input(lo, rule.Accept(match.NotProto(nf.ICMPv6)))}, []string{neighbours}},
		"some neighbours":   {table.Filter, []chain.Chain{input(lo, rule.Accept(match.Proto(nf.ICMPv6), match.In("eth0")))}, []string{neighbours}},
		"not lo":            {table.Filter.IPv4(), []chain.Chain{input(rule.Accept(match.NotIn("lo")))}, []string{loopback}},
		"dropped":           {table.Filter, []chain.Chain{input(rule.Drop(match.In("lo")), rule.Drop(match.Proto(nf.ICMPv6)))}, []string{loopback, neighbours}},
		"OUTPUT":            {table.Filter.IPv4(), []chain.Chain{chain.BuiltIn(chain.Output, chain.Drop)}, []string{loopback}},
		"lo out":            {table.Filter.IPv4(), []chain.Chain{chain.BuiltIn(chain.Output, chain.Drop, rule.Accept(match.Out("lo")))}, nil},
		"policy ACCEPT":     {table.Filter, []chain.Chain{chain.BuiltIn(chain.Input, chain.Accept)}, nil},
		"FORWARD":           {table.Filter, []chain.Chain{forward()}, nil},
		"another table":     {table.Mangle, []chain.Chain{input()}, nil},
		"nat":               {table.NAT, []chain.Chain{chain.BuiltIn(chain.Prerouting, chain.Drop)}, []string{"nat sees the first packet"}},
		"a lonely chain":    {table.Filter, []chain.Chain{chain.New("x")}, []string{"filter x: no rule jumps to it"}},
		"somebody else's":   {table.Filter, []chain.Chain{chain.Keep("x")}, nil},
		"a chain that ends": {table.Filter, []chain.Chain{forward(rule.Jump("x")), chain.New("x", rule.Jump("nobody"))}, nil},
	} {
		got := lint(tc.id, tc.chains...)
		ok := len(got) == len(tc.want)
		for i := range min(len(got), len(tc.want)) {
			ok = ok && strings.Contains(got[i], tc.want[i])
		}
		if !ok {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestLintStopsWhenAsked(t *testing.T) {
	rs := table.NewRuleset(table.New(table.Filter, input(slices.Repeat([]rule.Rule{rule.Drop()}, 10)...)), table.New(table.NAT, chain.New("x")))
	n := 0
	for range table.Lint(rs) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Error(n)
	}
}
