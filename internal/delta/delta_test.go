package delta

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// mark is a rule that compares the packet's mark, counts and ends in a verdict;
// its line is the mark.
func mark(m uint32, v program.Verdict) *program.Rule {
	return &program.Rule{Line: int(m), Exprs: []program.Expr{
		program.Meta{Key: program.MetaMark, Reg: 1},
		program.Cmp{Reg: 1, Value: program.Host32(m)},
		program.Counter{},
		v,
	}}
}

func accept(m uint32) *program.Rule { return mark(m, program.Verdict{Kind: program.NFAccept}) }

func jump(m uint32, to string) *program.Rule {
	return mark(m, program.Verdict{Kind: program.NFTJump, Chain: to})
}

// lookup is a rule that looks a set up.
func lookup(set string) *program.Rule {
	return &program.Rule{Exprs: []program.Expr{program.Lookup{Name: set, Reg: 1}}}
}

func base(name string, rules ...*program.Rule) *program.Chain {
	return &program.Chain{Name: name, Base: true, Hook: program.Hook{Type: "filter", Num: 1},
		Policy: program.NFAccept, Rules: rules}
}

func user(name string, rules ...*program.Rule) *program.Chain {
	return &program.Chain{Name: name, Rules: rules}
}

func table(parts ...any) *program.Program {
	t := &program.Table{Family: program.IP, Name: "t"}
	for _, p := range parts {
		switch p := p.(type) {
		case *program.Chain:
			t.Chains = append(t.Chains, p)
		case *program.Set:
			t.Sets = append(t.Sets, p)
		}
	}
	return &program.Program{Tables: []*program.Table{t}}
}

// held is a program as read: every rule and chain with a handle, the rule's its
// mark, its counter ten times that.
func held(p *program.Program) *program.Program {
	for _, t := range p.Tables {
		for i, c := range t.Chains {
			c.Handle = uint64(1000 + i)
			for j, r := range c.Rules {
				next := *r.WithCounts(program.Counter{Packets: 10 * uint64(r.Line)})
				next.Handle = uint64(r.Line)
				c.Rules[j] = &next
			}
		}
	}
	return p
}

// say is operations in short: "add rule INPUT 5 <3 [50]" adds the rule with mark 5
// before that with handle 3, with a count of 50.
func say(ops []driver.Op) string {
	var out []string
	for _, op := range ops {
		s := op.Kind.String()
		if op.Chain != nil {
			s += " " + op.Chain.Name
		}
		if op.Set != nil {
			s += " " + op.Set.Name
			for _, e := range op.Set.Elements {
				if op.Kind != driver.AddElements && op.Kind != driver.DeleteElements {
					break
				}
				s += fmt.Sprintf(" %x", e.Key)
				if e.End {
					s += "."
				}
			}
		}
		if op.Rule != nil {
			s += fmt.Sprintf(" %d", op.Line)
			if op.Kind != driver.AddRule {
				s += fmt.Sprintf(" #%d", op.Rule.Handle)
			}
			if op.Before != 0 {
				s += fmt.Sprintf(" <%d", op.Before)
			}
			if n, _ := op.Rule.Counts(); op.Kind != driver.DeleteRule && n.Packets != 0 {
				s += fmt.Sprintf(" [%d]", n.Packets)
			}
		}
		if op.To != "" {
			s += " -> " + op.To
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func fresh(r *program.Rule) *program.Rule {
	r.Fresh = true
	return r
}

func comment(r *program.Rule, text string) *program.Rule {
	r.UserData = text
	return r
}

// counted is a base chain whose policy counts.
func counted(c *program.Chain, packets uint64, fresh bool) *program.Chain {
	c.Counted, c.Packets, c.Fresh = true, packets, fresh
	return c
}

func TestRules(t *testing.T) {
	was := func() *program.Program {
		return held(table(base("INPUT", accept(1), accept(2), accept(3), jump(4, "U")), user("U", accept(9))))
	}
	u := func() *program.Chain { return user("U", accept(9)) }
	for _, c := range []struct {
		name       string
		rules      []*program.Rule
		turn       string
		added, del int
	}{
		{"nothing", []*program.Rule{accept(1), accept(2), accept(3), jump(4, "U")}, "", 0, 0},
		{"in front", []*program.Rule{accept(7), accept(1), accept(2), accept(3), jump(4, "U")}, "add rule INPUT 7 <1", 1, 0},
		{"two between", []*program.Rule{accept(1), accept(7), accept(8), accept(2), accept(3), jump(4, "U")},
			"add rule INPUT 7 <2; add rule INPUT 8 <2", 2, 0},
		{"at the end", []*program.Rule{accept(1), accept(2), accept(3), jump(4, "U"), accept(7)}, "add rule INPUT 7", 1, 0},
		{"gone", []*program.Rule{accept(1), accept(3), jump(4, "U")}, "delete rule INPUT 2 #2", 0, 1},
		{"moved, with its count", []*program.Rule{accept(2), accept(3), jump(4, "U"), accept(1)},
			"add rule INPUT 1 [10]; delete rule INPUT 1 #1", 1, 1},
		{"moved, anew", []*program.Rule{accept(2), accept(3), jump(4, "U"), fresh(accept(1))},
			"add rule INPUT 1; delete rule INPUT 1 #1", 1, 1},
		{"commented", []*program.Rule{accept(1), comment(accept(2), "x"), accept(3), jump(4, "U")}, "replace rule INPUT 2 #2 [20]", 0, 0},
		{"zeroed", []*program.Rule{accept(1), fresh(accept(2)), accept(3), jump(4, "U")}, "replace rule INPUT 2 #2", 0, 0},
		{"all others", []*program.Rule{accept(5), accept(6)}, "flush chain INPUT; add rule INPUT 5; add rule INPUT 6", 2, 4},
	} {
		p := Diff(was(), table(base("INPUT", c.rules...), u()), Options{})
		if got := say(p.Switch); got != c.turn {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.turn)
		}
		if len(p.Stage)+len(p.Sweep) > 0 || p.Empty() != (c.turn == "") {
			t.Errorf("%s: stage %q, sweep %q", c.name, say(p.Stage), say(p.Sweep))
		}
		if p.Rules.Added != c.added || p.Rules.Deleted != c.del {
			t.Errorf("%s: %+v", c.name, p.Rules)
		}
	}
}

func TestSteps(t *testing.T) {
	ports := func(flags uint32, keys ...string) *program.Set {
		s := &program.Set{Name: "ports", KeyLen: 2, KeyType: 13, Flags: flags}
		for _, k := range keys {
			s.Elements = append(s.Elements, program.Element{Key: k[:2], End: len(k) > 2})
		}
		return s
	}
	vmap := func(verdicts ...program.Verdict) *program.Set {
		s := &program.Set{Name: "map", KeyLen: 1, Flags: program.SetMap, DataType: 0xffffff00}
		for i, v := range verdicts {
			s.Elements = append(s.Elements, program.Element{Key: string(rune('a' + i)), Verdict: v})
		}
		return s
	}
	toU, drop := program.Verdict{Kind: program.NFTJump, Chain: "U"}, program.Verdict{Kind: program.NFDrop}
	for _, c := range []struct {
		name               string
		have, want         *program.Program
		stage, turn, sweep string
		batches            string // how many transactions: stage, switch, sweep
	}{
		{"a new table", &program.Program{}, table(base("INPUT", jump(1, "U")), user("U", accept(2))),
			"add table; add chain U; add rule U 2", "add chain INPUT; add rule INPUT 1", "", "0 5 0"},
		{"a new set", table(base("INPUT")), table(base("INPUT", lookup("ports")), ports(0, "ab", "cd")),
			"add set ports; add elements ports 6162 6364", "add rule INPUT 0", "", "1 1 0"},
		{"a set gone", table(base("INPUT", lookup("ports")), ports(0, "ab")), table(base("INPUT")),
			"", "flush chain INPUT", "delete set ports", "0 1 1"},
		{"elements", table(base("INPUT", lookup("ports")), ports(0, "ab", "cd")), table(base("INPUT", lookup("ports")), ports(0, "cd", "ef")),
			"", "delete elements ports 6162; add elements ports 6566", "", "0 2 0"},
		{"a range gets longer", table(ports(program.SetInterval, "aa", "ac.", "ba", "bc.")), table(ports(program.SetInterval, "aa", "ab.", "ba", "bc.")),
			"", "delete elements ports 6161 6163.; add elements ports 6161 6162.", "", "0 2 0"},
		{"packets fill it", table(ports(program.SetEval, "ab")), table(ports(program.SetEval)), "", "", "", "0 0 0"},
		{"elements that time out", table(ports(program.SetTimeout, "ab")), table(ports(program.SetTimeout, "cd")),
			"", "delete elements ports 6162; add elements ports 6364", "", "0 2 0"},
		{"a map's element goes after the switch", table(user("U"), vmap(drop, toU)), table(user("U"), vmap(drop)),
			"", "", "delete elements map 62", "0 1 0"},
		{"and another verdict at once", table(user("U"), vmap(drop)), table(user("U"), vmap(toU)),
			"", "delete elements map 61; add elements map 61", "", "0 2 0"},
		{"a stale set is made anew", table(ports(program.SetConstant, "ab")), table(base("INPUT", lookup("ports")), ports(program.SetConstant, "cd")),
			"delete set ports; add set ports; add elements ports 6364", "add chain INPUT; add rule INPUT 0", "", "2 2 0"},
		{"a chain gone", held(table(base("INPUT", jump(1, "U")), user("U", jump(2, "V")), user("V"))), table(base("INPUT")),
			"", "flush chain INPUT", "flush chain U; delete chain U; delete chain V", "0 4 0"},
		{"a base chain gone", held(table(base("INPUT", accept(1)), user("U"))), table(user("U")),
			"", "flush chain INPUT; delete chain INPUT", "", "0 2 0"},
		{"a table gone", held(table(base("INPUT", accept(1)))), &program.Program{}, "", "delete table", "", "0 1 0"},
		{"a table with sets gone", held(table(base("INPUT", accept(1)), ports(0))), &program.Program{},
			"", "flush chain INPUT; delete chain INPUT", "delete table", "0 2 1"},
		{"another priority", held(table(base("INPUT", accept(1)), user("U"))), table(hooked(base("INPUT", accept(1), accept(2)), 5), user("U")),
			"rename chain INPUT -> INPUT.old1", "add chain INPUT; add rule INPUT 1 [10]; add rule INPUT 2",
			"flush chain INPUT.old1; delete chain INPUT.old1", "1 3 1"},
		{"another true name", held(table(base("INPUT", jump(1, "U")), user("U", accept(2)))),
			table(base("INPUT", jump(1, "U")), &program.Chain{Name: "U", UserData: "\x00\x07name u\x00", Rules: []*program.Rule{accept(2)}}),
			"rename chain U -> U.old1; add chain U; add rule U 2 [20]", "replace rule INPUT 1 #1 [10]",
			"flush chain U.old1; delete chain U.old1", "2 1 1"},
		{"a chain renamed", held(table(base("INPUT", jump(1, "U")), user("U", accept(2)))), table(base("INPUT", jump(1, "V")), user("V", accept(2))),
			"", "rename chain U -> V", "", "0 1 0"},
		{"a chain renamed and a rule", held(table(base("INPUT", jump(1, "U")), user("U", accept(2)))), table(base("INPUT", jump(1, "V"), accept(3)), user("V", accept(2))),
			"add chain V; add rule V 2 [20]", "flush chain INPUT; add rule INPUT 1; add rule INPUT 3", "flush chain U; delete chain U", "0 7 0"},
		{"a policy", countedTable(base("INPUT"), 5), func() *program.Program {
			c := counted(base("INPUT"), 9, false)
			c.Policy = program.NFDrop
			return table(c)
		}(), "", "update chain INPUT", "", "0 1 0"},
		{"the same counters", countedTable(base("INPUT"), 5), table(counted(base("INPUT"), 9, false)), "", "", "", "0 0 0"},
		{"counters anew", countedTable(base("INPUT"), 5), table(counted(base("INPUT"), 0, true)), "", "update chain INPUT", "", "0 1 0"},
	} {
		p := Diff(c.have, c.want, Options{})
		if d := cmp.Diff([]string{c.stage, c.turn, c.sweep}, []string{say(p.Stage), say(p.Switch), say(p.Sweep)}); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
		stage, turn, sweep, err := p.Batches()
		if got := fmt.Sprint(len(stage), len(turn), len(sweep)); got != c.batches || err != nil {
			t.Errorf("%s: batches %s, %v, want %s", c.name, got, err, c.batches)
		}
	}
}

func hooked(c *program.Chain, priority int32) *program.Chain {
	c.Hook.Priority = priority
	return c
}

func countedTable(c *program.Chain, packets uint64) *program.Program {
	return table(counted(c, packets, false))
}

// TestPolicyKeepsCounters: a new policy is no reason to set the counters.
func TestPolicyKeepsCounters(t *testing.T) {
	want := counted(base("INPUT"), 9, false)
	want.Policy = program.NFDrop
	for _, c := range []struct {
		have *program.Chain
		set  bool
	}{{counted(base("INPUT"), 5, false), false}, {base("INPUT"), true}} {
		op := Diff(table(c.have), table(want), Options{}).Switch[0]
		if op.Chain.Policy != program.NFDrop || op.Chain.Counted != c.set {
			t.Errorf("policy %v, counters set: %t, want %t", op.Chain.Policy, op.Chain.Counted, c.set)
		}
	}
}

// TestSetInUse: a set that rules look up cannot become another.
func TestSetInUse(t *testing.T) {
	a := &program.Set{Name: "s", KeyLen: 2, KeyType: 13}
	b := &program.Set{Name: "s", KeyLen: 4, KeyType: 7}
	p := Diff(table(base("INPUT", lookup("s")), a), table(base("INPUT", lookup("s")), b), Options{})
	_, _, _, err := p.Batches()
	var se *SetError
	if !errors.Is(err, ErrInPlace) || !errors.As(err, &se) || se.Set != "s" || p.Empty() {
		t.Errorf("%v, want an error that names the set", err)
	}
}

// TestKeep: what the administrator keeps stays, with what it leads to.
func TestKeep(t *testing.T) {
	have := held(table(base("INPUT", jump(1, "USER")), user("USER", jump(2, "V")), user("V", lookup("s")), user("W"),
		&program.Set{Name: "s", KeyLen: 2}))
	for name, p := range map[string]Plan{
		"wanted kept": Diff(have, table(base("INPUT", jump(1, "USER")), &program.Chain{Name: "USER", Keep: true}), Options{}),
		"option": Diff(have, table(base("INPUT", jump(1, "USER"))), Options{
			Keep: func(_ *program.Table, chain string) bool { return chain == "USER" }}),
	} {
		if got := say(p.Stage) + say(p.Switch) + say(p.Sweep); got != "delete chain W" {
			t.Errorf("%s: %q, want W deleted and nothing else", name, got)
		}
	}
	p := Diff(&program.Program{}, table(&program.Chain{Name: "USER", Keep: true}), Options{})
	if got := say(p.Stage); got != "add table; add chain USER" {
		t.Errorf("missing: %q", got)
	}
}

// TestPageMove: a rule that goes from one page to another keeps its count.
func TestPageMove(t *testing.T) {
	paged := func(n int, rules ...*program.Rule) *program.Chain {
		return &program.Chain{Name: fmt.Sprintf("I.p%d", n), UserData: fmt.Sprintf("\x00\x0cpage %d of I\x00", n), Rules: rules}
	}
	have := held(table(base("I"), paged(1, accept(1), accept(2)), paged(2, accept(3))))
	want := table(base("I"), paged(1, accept(1)), paged(2, accept(2), accept(3)))
	if got := say(Diff(have, want, Options{}).Switch); got != "delete rule I.p1 2 #2; add rule I.p2 2 <3 [20]" {
		t.Error(got)
	}
}

// TestUnchanged: neither program is written to.
func TestUnchanged(t *testing.T) {
	have := held(table(base("INPUT", accept(1), jump(2, "U")), user("U", accept(3))))
	want := table(base("INPUT", jump(2, "U"), accept(1)), &program.Chain{Name: "U", UserData: "\x00\x07name u\x00"})
	h, w := cmp.Diff(have, nil), cmp.Diff(want, nil)
	Diff(have, want, Options{})
	if cmp.Diff(have, nil) != h || cmp.Diff(want, nil) != w {
		t.Error("Diff changed what it was given")
	}
}

func BenchmarkDiff(b *testing.B) {
	const n = 100_000
	var rules []*program.Rule
	for i := range uint32(n) {
		rules = append(rules, accept(i+1))
	}
	have := held(table(base("INPUT", slices.Clone(rules)...)))
	for name, edit := range map[string]func([]*program.Rule) []*program.Rule{
		"same":   func(r []*program.Rule) []*program.Rule { return r },
		"insert": func(r []*program.Rule) []*program.Rule { return slices.Insert(r, 5, accept(n+1)) },
		"spread": func(r []*program.Rule) []*program.Rule {
			for i := 0; i < n; i += 100 {
				r[i] = accept(uint32(n + i + 1))
			}
			return r
		},
	} {
		want := table(base("INPUT", edit(slices.Clone(rules))...))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Diff(have, want, Options{})
			}
		})
	}
	want := table(base("INPUT"), user("U", rules...))
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			_, _, _, _ = Diff(&program.Program{}, want, Options{MaxBatch: 212_960}).Batches()
		}
	})
}
