package compile

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

var plain = Options{Plain: true}

// In the tables that are shared with iptables-nft names are iptables' own, and no
// table, chain or rule has userdata.
func TestIptablesTablesHaveNoUserdata(t *testing.T) {
	rs := table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop,
			rule.Jump("log", match.Only(nf.IPv6)),
			rule.Jump("f2b:sshd", match.States(match.New), match.Comment("a comment"), match.TCP{Dport: match.Is(nf.Port(22))}),
			rule.Drop(match.Dports(nf.TCP, 80, 25))),
		chain.New("log"), chain.New("f2b:sshd")))
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := Ruleset(rs, plain)
	if err != nil || len(p.Tables) != 2 {
		t.Fatalf("%d tables, %v", len(p.Tables), err)
	}
	for _, tab := range p.Tables {
		if tab.Name != "filter" || tab.UserData != "" {
			t.Errorf("table %s has userdata %q", tab.Name, tab.UserData)
		}
		for _, name := range []string{"INPUT", "log", "f2b:sshd"} {
			c := tab.Chain(name)
			if c == nil || c.UserData != "" {
				t.Fatalf("chain %s is %+v", name, c)
			}
			for _, r := range c.Rules {
				if r.UserData != "" || !r.Compat.Always {
					t.Errorf("rule with userdata %q, compat %+v:\n%s", r.UserData, r.Compat, program.Dump(r.Exprs))
				}
			}
		}
	}
	back, kept, err := Read(p, plain)
	if err != nil || len(kept.rules) > 0 {
		t.Errorf("%d rules are kept, %v", len(kept.rules), err)
	}
	if got, want := back.For(nf.IPv6).String(), rs.For(nf.IPv6).String(); got != want {
		t.Errorf("read\n%s\nwant\n%s", got, want)
	}
}

// A rule whose comment or missing counter nft made is the rule that it says, and
// is compiled to the program that it was.
func TestOtherSpellingsAreKept(t *testing.T) {
	accept := program.Verdict{Kind: program.NFAccept}
	established := []program.Expr{
		program.CT{Key: program.CTState, Reg: 1},
		program.Bitwise{Src: 1, Dst: 1, Len: 4, Mask: program.Host32(2), Xor: program.Host32(0)},
		program.Cmp{Op: program.Ne, Reg: 1, Value: program.Host32(0)}, accept,
	}
	in := &program.Chain{Name: "INPUT", Base: true, Hook: program.Hook{Type: "filter", Num: 1}, Policy: program.NFAccept}
	in.Rules = []*program.Rule{
		{Exprs: []program.Expr{accept}},
		{Exprs: []program.Expr{program.Counter{}, accept}},
		{Exprs: []program.Expr{program.Counter{}, accept}, UserData: "\x00\x02c\x00"},
		{Exprs: established, UserData: "\x00\x02c\x00"},
	}
	p := &program.Program{Tables: []*program.Table{{Family: program.IP, Name: "filter", Chains: []*program.Chain{in}}}}
	rs, kept, err := Read(p, plain)
	if err != nil {
		t.Fatal(err)
	}
	want := "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n-A INPUT -j ACCEPT\n-A INPUT -m comment --comment c -j ACCEPT\n" +
		"-A INPUT -m conntrack --ctstate ESTABLISHED -m comment --comment c -j ACCEPT\nCOMMIT\n"
	if got := rs.String(); got != want {
		t.Errorf("read\n%s\nwant\n%s", got, want)
	}
	o := plain
	o.Keeper = func() *Keeper { return kept }
	again, err := Ruleset(rs, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range again.Tables[0].Chain("INPUT").Rules {
		if !r.Same(in.Rules[i]) {
			t.Errorf("rule %d is\n%s%q\nwas\n%s%q", i+1, program.Dump(r.Exprs), r.UserData, program.Dump(in.Rules[i].Exprs), in.Rules[i].UserData)
		}
	}
}
