package compile

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

var owner = Options{Owner: "x"}

// downUp compiles a ruleset and reads it again.
func downUp(t *testing.T, rs table.Ruleset) (*program.Program, table.Ruleset) {
	t.Helper()
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := Ruleset(rs, owner)
	if err != nil {
		t.Fatal(err)
	}
	back, _, err := Read(p, owner)
	if err != nil {
		t.Fatal(err)
	}
	return p, back
}

func both(rules ...rule.Rule) table.Ruleset {
	return table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop, rules...), chain.New("log", rule.Drop())))
}

func TestBothFamiliesInOneTable(t *testing.T) {
	rs := both(
		rule.Accept(match.In("lo")),
		rule.Accept(match.Source(mustPrefix("10.0.0.0/8")), match.TCP{Dport: match.Is(nf.Port(22))}),
		rule.Jump("log", match.Only(nf.IPv6), match.Comment("six only")),
	)
	p, back := downUp(t, rs)
	if len(p.Tables) != 1 || p.Tables[0].Family != program.Inet || p.Tables[0].Name != "x-filter" {
		t.Fatalf("placed in %d tables: %+v", len(p.Tables), p.Tables[0])
	}
	want := `[meta nfproto -> r1]
[cmp r1 == 02]
[meta l4proto -> r1]
[cmp r1 == 06]
[payload nh+12 len 1 -> r1]
[cmp r1 == 0a]
[payload th+17 len 3 -> r1]
[cmp r1 >= 000000]
[payload th+2 len 2 -> r1]
[cmp r1 == 0016]
[counter packets 0 bytes 0]
[verdict accept]
`
	if got := program.Dump(p.Tables[0].Chains[0].Rules[1].Exprs); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := p.Tables[0].Chains[0].Rules[2].Exprs[3]; got != (program.Verdict{Kind: program.NFTJump, Chain: "gh.log"}) {
		t.Errorf("the jump is %v", got)
	}
	if !back.Equal(rs) {
		t.Errorf("came back as\n%v", dump(back))
	}
}

// --tcp-option has no exact form in an inet table, so the table becomes two, and
// one again when it is read.
func TestBothFamiliesInTwoTables(t *testing.T) {
	v4 := rule.Accept(match.Source(mustPrefix("10.0.0.0/8")))
	v6 := rule.Accept(match.Source(mustPrefix("fd00::/8")))
	option := rule.Drop(match.TCP{Option: match.Is(uint8(5))})
	for name, rules := range map[string][]rule.Rule{
		"families apart":    {option, v4, v4, rule.Accept(match.In("lo")), v6},
		"v6 before v4":      {v6, v4, option},
		"v4 before v6":      {v4, v6, option},
		"mixed":             {v6, v4, v6, v6, v4, option, v4, v6},
		"by word":           {rule.Return(match.Only(nf.IPv4)), option, rule.Return(match.Only(nf.IPv6))},
		"nothing in common": {v4, v6, rule.Drop(match.Only(nf.IPv4), match.TCP{Option: match.Is(uint8(5))})},
	} {
		rs := both(rules...)
		p, back := downUp(t, rs)
		if len(p.Tables) != 2 {
			t.Errorf("%s: %d tables", name, len(p.Tables))
		}
		if !back.Equal(rs) {
			t.Errorf("%s: came back as\n%v", name, dump(back))
		}
	}
}

func TestHalvesThatNoLongerFitStayTwoTables(t *testing.T) {
	rs := both(rule.Drop(match.TCP{Option: match.Is(uint8(5))}), rule.Accept(match.In("lo")))
	p, _ := downUp(t, rs)
	c := p.Tables[1].Chains[0]
	c.Rules = c.Rules[:1]
	back, _, err := Read(p, owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := back.Table(table.Filter.IPv4()); !ok || back.Len() != 2 {
		t.Errorf("read as\n%v", dump(back))
	}
}

func TestUnknownExpressionsStayAsTheyAre(t *testing.T) {
	exprs := []program.Expr{
		program.Meta{Key: program.MetaL4Proto, Reg: 1}, program.Cmp{Reg: 1, Value: program.Host8(6)},
		program.Raw{Name: "last", Data: "\x08\x00\x01\x00\x00\x00\x00\x00"},
		program.Counter{Packets: 3, Bytes: 180}, program.Verdict{Kind: program.NFAccept},
	}
	env := program.Env{Family: program.IP, Table: "filter"}
	r, _, err := ReadRule(&program.Rule{Exprs: exprs}, env)
	if err != nil || !r.Opaque() || r.Target() != target.Accept || r.Counters() != (nf.Counters{Packets: 3, Bytes: 180}) {
		t.Errorf("read as %v (%v), %v", r, r.Counters(), err)
	}
	if want := "-p tcp -m nft --expr last:0800010000000000 -j ACCEPT"; r.String() != want {
		t.Errorf("got %s, want %s", r, want)
	}
	again, err := Rule(r, env, true, 0)
	if err != nil || !again.Same(&program.Rule{Exprs: exprs}) {
		t.Errorf("%v\n%s", err, program.Dump(again.Exprs))
	}
}

func TestAStrangeOrderIsOpaqueAsAWhole(t *testing.T) {
	exprs := []program.Expr{
		program.Counter{}, program.Meta{Key: program.MetaL4Proto, Reg: 1}, program.Cmp{Reg: 1, Value: program.Host8(6)},
		program.Verdict{Kind: program.NFTReturn},
	}
	r, _, _ := ReadRule(&program.Rule{Exprs: exprs}, program.Env{Family: program.IP})
	if !r.Opaque() || !strings.Contains(r.String(), "--expr meta:") {
		t.Errorf("read as %v", r)
	}
}

func dump(rs table.Ruleset) string {
	var b strings.Builder
	for t := range rs.Tables() {
		for c := range t.Chains() {
			for n, r := range c.Rules() {
				b.WriteString(t.ID().String() + " " + c.Name() + " " + string(rune('0'+n)) + " " + r.String() + "\n")
			}
		}
	}
	return b.String()
}

func mustPrefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
