package page

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// mark is a rule that compares the packet's mark and ends in a verdict.
func mark(m uint32, v program.Verdict) *program.Rule {
	return &program.Rule{Exprs: []program.Expr{
		program.Meta{Key: program.MetaMark, Reg: 1},
		program.Cmp{Op: program.Eq, Reg: 1, Value: program.Host32(m)},
		program.Counter{},
		v,
	}}
}

func accept(m uint32) *program.Rule { return mark(m, program.Verdict{Kind: program.NFAccept}) }
func back(m uint32) *program.Rule   { return mark(m, program.Verdict{Kind: program.NFTReturn}) }

// accepts are rules that accept the marks from first to last, with lines.
func accepts(first, last uint32) []*program.Rule {
	var out []*program.Rule
	for m := first; m <= last; m++ {
		r := accept(m)
		r.Line = int(m)
		out = append(out, r)
	}
	return out
}

func base(name string, rules ...*program.Rule) *program.Chain {
	return &program.Chain{Name: name, Base: true, Hook: program.Hook{Type: "filter", Num: 1},
		Policy: program.NFAccept, Rules: rules}
}

func user(name string, rules ...*program.Rule) *program.Chain {
	return &program.Chain{Name: name, Rules: rules}
}

// table is a program of one table.
func table(chains ...*program.Chain) *program.Program {
	return &program.Program{Tables: []*program.Table{{Family: program.IP, Name: "t", Chains: chains}}}
}

// shape is a table's chains with the number of their rules, jumps to pages shown:
// "INPUT: INPUT.p1(4) 1 INPUT.p2(3)".
func shape(p *program.Program) string {
	var b strings.Builder
	t := p.Tables[0]
	for _, c := range t.Chains {
		if userdata.DecodeChain(c.UserData).Of != "" {
			continue
		}
		fmt.Fprintf(&b, "%s:", c.Name)
		plain := 0
		flush := func() {
			if plain > 0 {
				fmt.Fprintf(&b, " %d", plain)
			}
			plain = 0
		}
		for _, r := range c.Rules {
			if to := t.Chain(spineJump(r)); to != nil && userdata.DecodeChain(to.UserData).Of == c.Name {
				flush()
				fmt.Fprintf(&b, " %s(%d)", to.Name, len(to.Rules))
				continue
			}
			plain++
		}
		flush()
		b.WriteString("\n")
	}
	return b.String()
}

func TestShapes(t *testing.T) {
	jump := func(to string) *program.Rule {
		return &program.Rule{Exprs: []program.Expr{program.Verdict{Kind: program.NFTJump, Chain: to}}}
	}
	vmap := func(name string) *program.Rule {
		return &program.Rule{Exprs: []program.Expr{program.Lookup{Name: name, Map: true, Reg: 1}}}
	}
	raw := func(name string) *program.Rule {
		return &program.Rule{Exprs: []program.Expr{program.Raw{Name: name}}}
	}
	with := func(at int, r *program.Rule) []*program.Rule { return slices.Insert(accepts(1, 15), at, r) }
	for _, c := range []struct {
		name, want string
		chains     []*program.Chain
	}{
		{"short", "INPUT: 8\n", []*program.Chain{base("INPUT", accepts(1, 8)...)}},
		{"long", "INPUT: INPUT.p1(4) INPUT.p2(5)\n", []*program.Chain{base("INPUT", accepts(1, 9)...)}},
		{"return", "INPUT: INPUT.p1(8) 1 INPUT.p2(7)\n", []*program.Chain{base("INPUT", with(8, back(99))...)}},
		{"return near the front", "INPUT: 2 INPUT.p1(7) INPUT.p2(7)\n", []*program.Chain{base("INPUT", with(1, back(99))...)}},
		{"goto", "INPUT: INPUT.p1(8) 1 INPUT.p2(7)\nU:\n", []*program.Chain{
			base("INPUT", with(8, mark(9, program.Verdict{Kind: program.NFTGoto, Chain: "U"}))...), user("U")}},
		{"jump", "INPUT: INPUT.p1(8) INPUT.p2(8)\nU:\n", []*program.Chain{base("INPUT", with(8, jump("U"))...), user("U")}},
		{"map of jumps", "INPUT: INPUT.p1(8) INPUT.p2(8)\nU:\n", []*program.Chain{base("INPUT", with(8, vmap("jumps"))...), user("U")}},
		{"map with a return", "INPUT: INPUT.p1(8) 1 INPUT.p2(7)\n", []*program.Chain{base("INPUT", with(8, vmap("returns"))...)}},
		{"unknown map", "INPUT: INPUT.p1(8) 1 INPUT.p2(7)\n", []*program.Chain{base("INPUT", with(8, vmap("other"))...)}},
		{"raw immediate", "INPUT: INPUT.p1(8) 1 INPUT.p2(7)\n", []*program.Chain{base("INPUT", with(8, raw("immediate"))...)}},
		{"raw queue", "INPUT: INPUT.p1(8) INPUT.p2(8)\n", []*program.Chain{base("INPUT", with(8, raw("queue"))...)}},
		{"name taken", "INPUT: INPUT.p2(4) INPUT.p3(5)\nINPUT.p1: 1\n", []*program.Chain{
			base("INPUT", accepts(1, 9)...), user("INPUT.p1", accept(1))}},
		{"odd name", "1a b: 9\n", []*program.Chain{base("1a b", accepts(1, 9)...)}},
		{"not a name of nft's", "1x+y: _1x_y.p1(4) _1x_y.p2(5)\n", []*program.Chain{base("1x+y", accepts(1, 9)...)}},
	} {
		p := table(c.chains...)
		p.Tables[0].Sets = []*program.Set{
			{Name: "jumps", Flags: program.SetMap, Elements: []program.Element{{Key: "a", Verdict: program.Verdict{Kind: program.NFTJump, Chain: "U"}}}},
			{Name: "returns", Flags: program.SetMap, Elements: []program.Element{{Key: "a", Verdict: program.Verdict{Kind: program.NFTReturn}}}},
		}
		paged := Page(p, nil, 8)
		if got := shape(paged); got != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, got, c.want)
		}
		if d := cmp.Diff(p, Unpage(paged)); d != "" {
			t.Errorf("%s, and back:\n%s", c.name, d)
		}
	}
}

// TestPageChain: what a page and its jump are, to the byte.
func TestPageChain(t *testing.T) {
	got := Page(table(base("INPUT", accepts(1, 3)...)), nil, 2).Tables[0]
	if want := "\x00\x10page 1 of INPUT\x00"; got.Chain("INPUT.p1").UserData != want {
		t.Errorf("userdata %q, want %q", got.Chain("INPUT.p1").UserData, want)
	}
	in := got.Chain("INPUT")
	if d := program.Dump(in.Rules[1].Exprs); d != "[verdict jump \"INPUT.p2\"]\n" || in.Rules[1].UserData != "" || in.Rules[1].Line != 0 {
		t.Errorf("the jump is %q, userdata %q, line %d", d, in.Rules[1].UserData, in.Rules[1].Line)
	}
	if !in.Base || in.Hook.Type != "filter" {
		t.Error("the spine lost its hook")
	}
}

// TestStable: which page an edit touches.
func TestStable(t *testing.T) {
	rules := accepts(1, 30) // pages of 7 and 8: 1-7, 8-15, 16-22, 23-30
	was := "INPUT: INPUT.p1(7) INPUT.p2(8) INPUT.p3(7) INPUT.p4(8)\n"
	have := Page(table(base("INPUT", rules...)), nil, 8)
	if got := shape(have); got != was {
		t.Fatalf("%swant %s", got, was)
	}
	n := accept(99)
	for _, c := range []struct {
		name, want string
		rules      []*program.Rule
	}{
		{"nothing", was, rules},
		{"in front", "INPUT: INPUT.p1(8) INPUT.p2(8) INPUT.p3(7) INPUT.p4(8)\n", slices.Insert(slices.Clone(rules), 0, n)},
		{"behind a full page", "INPUT: INPUT.p1(7) INPUT.p2(8) INPUT.p3(8) INPUT.p4(8)\n", slices.Insert(slices.Clone(rules), 15, n)},
		{"in a full page", "INPUT: INPUT.p1(7) INPUT.p2(8) INPUT.p3(8) INPUT.p4(8)\n", slices.Insert(slices.Clone(rules), 10, n)},
		{"many in a full page", "INPUT: INPUT.p1(7) INPUT.p5(5) INPUT.p2(8) INPUT.p3(7) INPUT.p4(8)\n",
			slices.Insert(slices.Clone(rules), 8, accepts(101, 105)...)},
		{"at the end, full", "INPUT: INPUT.p1(7) INPUT.p2(8) INPUT.p3(7) INPUT.p4(8) INPUT.p5(1)\n", append(slices.Clone(rules), n)},
		{"a page gone", "INPUT: INPUT.p1(7) INPUT.p3(7) INPUT.p4(8)\n", slices.Delete(slices.Clone(rules), 7, 15)},
		{"a return in a page", "INPUT: INPUT.p1(7) INPUT.p2(6) 1 INPUT.p5(2) INPUT.p3(7) INPUT.p4(8)\n",
			slices.Insert(slices.Clone(rules), 13, back(5))},
		{"shorter than a page", "INPUT: INPUT.p1(7)\n", rules[:7]},
		{"much shorter", "INPUT: 1\n", rules[:1]},
		{"all others", "INPUT: INPUT.p5(4) INPUT.p6(5)\n", accepts(101, 109)},
	} {
		want := table(base("INPUT", c.rules...))
		got := Page(want, have, 8)
		if s := shape(got); s != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, s, c.want)
		}
		if d := cmp.Diff(want, Unpage(got)); d != "" {
			t.Errorf("%s, and back:\n%s", c.name, d)
		}
	}
}

// TestNeighboursJoin: two pages that became short are one.
func TestNeighboursJoin(t *testing.T) {
	rules := accepts(1, 64)
	have := Page(table(base("INPUT", rules...)), nil, 16)
	few := append(slices.Clone(rules[:3]), rules[31:]...)
	want := "INPUT: INPUT.p1(4) INPUT.p3(16) INPUT.p4(16)\n"
	if got := shape(Page(table(base("INPUT", few...)), have, 16)); got != want {
		t.Errorf("%swant %s", got, want)
	}
}

// TestNameTakenLater: the caller makes a chain whose name a page has.
func TestNameTakenLater(t *testing.T) {
	rules := accepts(1, 9)
	have := Page(table(base("INPUT", rules...)), nil, 8)
	want := table(base("INPUT", rules...), user("INPUT.p1", accept(1)))
	got := Page(want, have, 8)
	if s := shape(got); s != "INPUT: INPUT.p3(4) INPUT.p2(5)\nINPUT.p1: 1\n" {
		t.Error(s)
	}
	if d := cmp.Diff(want, Unpage(got)); d != "" {
		t.Error(d)
	}
}

// TestOneRuleIsOnePage: a rule in front of 10,000 changes one page.
func TestOneRuleIsOnePage(t *testing.T) {
	rules := accepts(1, 10_000)
	have := Page(table(base("INPUT", rules...)), nil, 0)
	got := Page(table(base("INPUT", slices.Insert(slices.Clone(rules), 0, accept(70_000))...)), have, 0)
	if n := changed(have, got); n != 1 {
		t.Errorf("%d rules were added or deleted, want 1", n)
	}
	full := Page(table(base("INPUT", rules[:512*8]...)), nil, 512)
	got = Page(table(base("INPUT", slices.Insert(slices.Clone(rules[:512*8]), 700, accept(70_000))...)), full, 512)
	if n := changed(full, got); n != 4 { // the rule, one that moves (out and in), and a jump
		t.Errorf("%d rules were added or deleted where pages are full, want 4", n)
	}
}

// changed is how many rules two paged programs do not share, chain by chain.
func changed(a, b *program.Program) int {
	count := map[string]int{}
	for sign, p := range map[int]*program.Program{1: a, -1: b} {
		for _, c := range p.Tables[0].Chains {
			for _, r := range c.Rules {
				count[c.Name+r.Key()] += sign
			}
		}
	}
	n := 0
	for _, d := range count {
		n += max(d, -d)
	}
	return n
}

func BenchmarkPage(b *testing.B) {
	rules := accepts(1, 100_000)
	want := table(base("INPUT", rules...))
	have := Page(want, nil, 0)
	inserted := table(base("INPUT", slices.Insert(slices.Clone(rules), 50_000, accept(200_000))...))
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			Page(want, nil, 0)
		}
	})
	b.Run("insert", func(b *testing.B) {
		for b.Loop() {
			Page(inserted, have, 0)
		}
	})
	b.Run("unpage", func(b *testing.B) {
		for b.Loop() {
			Unpage(have)
		}
	})
}
