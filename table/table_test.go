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
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

func names(t table.Table) string {
	var out []string
	for c := range t.Chains() {
		out = append(out, c.Name())
	}
	return strings.Join(out, " ")
}

func TestChainsAreInIptablesOrder(t *testing.T) {
	tb := table.New(table.NAT, chain.New("z"), chain.New("Z"), chain.BuiltIn(chain.Postrouting, chain.Accept),
		chain.New("_"), chain.BuiltIn(chain.Output, chain.Accept), chain.New("a"), chain.BuiltIn(chain.Prerouting, chain.Accept))
	if got := names(tb); got != "PREROUTING OUTPUT POSTROUTING Z _ a z" {
		t.Error(got)
	}
	for _, name := range []string{"z", "Z", "PREROUTING", "a"} {
		if c, ok := tb.Chain(name); !ok || c.Name() != name {
			t.Errorf("%s: %v %v", name, c.Name(), ok)
		}
	}
	for _, name := range []string{"INPUT", "b", "", "zz"} {
		if _, ok := tb.Chain(name); ok {
			t.Errorf("%s is there", name)
		}
	}
}

func TestTablesAreValues(t *testing.T) {
	chains := []chain.Chain{chain.New("a"), chain.New("c")}
	tb := table.New(table.Filter, chains...)
	chains[0] = chain.New("x")
	more := tb.WithChain(chain.New("b"))
	changed := tb.WithChain(chain.New("a", rule.Drop()))
	less := tb.WithoutChain("a").WithoutChain("nobody")
	if names(tb) != "a c" || names(more) != "a b c" || names(changed) != "a c" || names(less) != "c" {
		t.Errorf("%s | %s | %s | %s", names(tb), names(more), names(changed), names(less))
	}
	if a, _ := tb.Chain("a"); a.Len() != 0 {
		t.Error("the table changed behind its owner's back")
	}
	if a, _ := changed.Chain("a"); a.Len() != 1 {
		t.Error("not replaced")
	}
	for grown := tb; grown.Len() < 20; grown = grown.WithChain(chain.New("d" + strings.Repeat("x", grown.Len()))) {
		left, right := grown.WithChain(chain.New("y")), grown.WithChain(chain.New("z"))
		if names(left) != names(grown)+" y" || names(right) != names(grown)+" z" {
			t.Fatalf("two tables share their chains: %s | %s", names(left), names(right))
		}
	}
}

func TestComplete(t *testing.T) {
	tb := table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Forward, chain.Drop), chain.New("x"))
	full := tb.Complete()
	if names(tb) != "FORWARD x" || names(full) != "INPUT FORWARD OUTPUT x" {
		t.Errorf("%s | %s", names(tb), names(full))
	}
	for name, want := range map[string]chain.Policy{"INPUT": chain.Accept, "FORWARD": chain.Drop} {
		c, _ := full.Chain(name)
		if p, _ := c.Policy(); p != want {
			t.Error(name, p)
		}
	}
	if !full.Complete().Equal(full) || tb.Equal(full) {
		t.Error("Equal")
	}
}

// The same rule, said with and without -4, is one rule in a table for IPv4.
func TestRulesAreNormalForTheirTable(t *testing.T) {
	said := table.New(table.Filter.IPv4(), chain.New("x", rule.Drop(match.Only(nf.IPv4))))
	left := table.New(table.Filter.IPv4()).WithChain(chain.New("x", rule.Drop()))
	if !said.Equal(left) {
		t.Errorf("%v and %v", said, left)
	}
	both := table.New(table.Filter, chain.New("x", rule.Drop(match.Only(nf.IPv4))))
	if both.Equal(table.New(table.Filter, chain.New("x", rule.Drop()))) {
		t.Error("in a table for both it does matter")
	}
}

func TestTablesOfARuleset(t *testing.T) {
	rs := table.NewRuleset(table.New(table.NAT), table.New(table.Filter.IPv6()), table.New(table.Filter.IPv4()),
		table.New(table.Raw), table.New(table.Security), table.New(table.Mangle))
	var got []string
	for tb := range rs.Tables() {
		got = append(got, tb.ID().String())
	}
	want := []string{"mangle", "security", "raw", "IPv4 filter", "IPv6 filter", "nat"}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, ok := rs.Table(table.Filter); ok {
		t.Error("filter for both is another table")
	}
	if tb, ok := rs.Table(table.Filter.IPv6()); !ok || tb.ID() != table.Filter.IPv6() {
		t.Error(tb)
	}
	with := rs.With(table.New(table.Raw, chain.New("x")))
	if tb, _ := with.Table(table.Raw); tb.Len() != 1 || with.Len() != rs.Len() || with.Equal(rs) {
		t.Error("With", with)
	}
}

func TestAFamilysView(t *testing.T) {
	addr := netip.MustParseAddr
	rs := table.NewRuleset(
		table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop,
			rule.Accept(match.In("lo")),
			rule.Accept(match.Source(addr("192.0.2.1"))),
			rule.Accept(match.Source(addr("2001:db8::1"))),
			rule.New(target.Drop, match.Only(nf.IPv6)),
		).WithCounters(nf.Counters{Packets: 1, Bytes: 2})),
		table.New(table.NAT.IPv4()), table.New(table.NAT.IPv6()))
	for f, want := range map[nf.Family]string{
		nf.IPv4: "*filter\n:INPUT DROP [1:2]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -s 192.0.2.1/32 -j ACCEPT\nCOMMIT\n*nat\nCOMMIT\n",
		nf.IPv6: "*filter\n:INPUT DROP [1:2]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -s 2001:db8::1/128 -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n*nat\nCOMMIT\n",
		nf.Both: "# IPv4 and IPv6\n*filter\n:INPUT DROP [1:2]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -s 192.0.2.1/32 -j ACCEPT\n" +
			"-A INPUT -s 2001:db8::1/128 -j ACCEPT\n-A INPUT -6 -j DROP\nCOMMIT\n# IPv4\n*nat\nCOMMIT\n# IPv6\n*nat\nCOMMIT\n",
	} {
		view := rs.For(f)
		if got := view.String(); got != want {
			t.Errorf("%v:\n%s\nwant\n%s", f, got, want)
		}
		if err := view.Err(); err != nil {
			t.Errorf("%v: %v", f, err)
		}
	}
}
