package probation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// programs draws a table of an input chain, maybe an output chain, and user
// chains that go to later ones.
func programs(t *rapid.T, label string) *program.Program {
	tab := &program.Table{Family: program.IP, Name: "x-filter", UserData: "\x00\x02x\x00"}
	users := []string{"A", "B", "C", "D"}[:rapid.IntRange(0, 4).Draw(t, label+" users")]
	rules := func(c string, to []string) (out []*program.Rule) {
		for range rapid.IntRange(0, 4).Draw(t, label+" rules of "+c) {
			kinds := []program.Verdict{{Kind: program.NFAccept}, {Kind: program.NFDrop}, {Kind: program.NFTReturn}}
			for _, name := range to {
				kinds = append(kinds, program.Verdict{Kind: program.NFTJump, Chain: name}, program.Verdict{Kind: program.NFTGoto, Chain: name})
			}
			mark := uint32(rapid.IntRange(0, 3).Draw(t, "mark"))
			out = append(out, &program.Rule{Exprs: []program.Expr{
				program.Meta{Key: program.MetaMark, Reg: 1}, program.Cmp{Reg: 1, Value: program.Host32(mark)},
				program.Counter{Packets: uint64(mark)}, rapid.SampledFrom(kinds).Draw(t, "verdict"),
			}})
		}
		return out
	}
	for i, name := range users {
		tab.Chains = append(tab.Chains, &program.Chain{Name: name, Rules: rules(name, users[i+1:])})
	}
	for i, name := range []string{"INPUT", "OUTPUT"} {
		if i > 0 && rapid.Bool().Draw(t, label+" one hook") {
			continue
		}
		policy := rapid.SampledFrom([]program.VerdictKind{program.NFAccept, program.NFDrop}).Draw(t, "policy")
		tab.Chains = append(tab.Chains, &program.Chain{
			Name: name, Base: true, Counted: true, Hook: program.Hook{Type: "filter", Num: uint32(1 + 2*i)},
			Policy: policy, Rules: rules(name, users),
		})
	}
	return &program.Program{Tables: []*program.Table{tab}}
}

// text is a program, its chains sorted.
func text(p *program.Program) string {
	var lines []string
	for _, t := range p.Tables {
		for _, c := range t.Chains {
			s := fmt.Sprintf("%v %s %s %v %+v %x\n", t.Family, t.Name, c.Name, c.Policy, c.Hook, c.UserData)
			for _, r := range c.Rules {
				s += "  " + fmt.Sprint(r.Exprs) + "\n"
			}
			lines = append(lines, s)
		}
		for _, s := range t.Sets {
			lines = append(lines, "set "+s.Name+"\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// Both programs come out of what they were joined to.
func TestSplitUndoesJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, want := programs(t, "old"), programs(t, "new")
		if rapid.Bool().Draw(t, "nothing before") {
			old = &program.Program{}
		}
		before, after := text(old), text(want)
		p, err := Join(old, want)
		if err != nil {
			t.Fatal(err)
		}
		if text(old) != before || text(want) != after {
			t.Fatal("Join changed what it was given")
		}
		for _, tab := range p.Tables {
			if s := tab.Set(Set); s != nil && rapid.Bool().Draw(t, "alive") {
				s.Elements = []program.Element{{Key: Key}}
			}
		}
		a, b := Split(p)
		if len(old.Tables) == 0 { // the table itself is there now
			before = ""
		}
		if got := text(a); got != before {
			t.Fatalf("the old rules are\n%s\nwant\n%s\nof\n%s", got, before, text(p))
		}
		if got := text(b); got != after {
			t.Fatalf("the new rules are\n%s\nwant\n%s\nof\n%s", got, after, text(p))
		}
	})
}

// What did not change is there once, and nothing is joined where nothing changed.
func TestJoinOfTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t, "it")
		joined, err := Join(p, p)
		if err != nil || text(joined) != text(p) {
			t.Fatalf("%v\n%s", err, text(joined))
		}
	})
}

// A base chain whose hook changes, and a verdict map, are refused.
func TestJoinRefuses(t *testing.T) {
	base := func(priority int32, rules ...*program.Rule) *program.Program {
		return &program.Program{Tables: []*program.Table{{Family: program.IP, Name: "x", Chains: []*program.Chain{{
			Name: "INPUT", Base: true, Hook: program.Hook{Type: "filter", Num: 1, Priority: priority}, Policy: program.NFAccept, Rules: rules,
		}}}}}
	}
	if _, err := Join(base(0), base(1)); !errors.Is(err, ErrHook) {
		t.Error(err)
	}
	lookup := &program.Rule{Exprs: []program.Expr{program.Lookup{Name: "m", Map: true}}}
	if _, err := Join(base(0), base(0, lookup)); !errors.Is(err, ErrMap) {
		t.Error(err)
	}
	if state := Of(base(0)); state != None {
		t.Error(state)
	}
}
