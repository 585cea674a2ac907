package staging

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

var filter = Key{program.IP, "x-filter", ""}

func in(key Key, name string) Key {
	key.Name = name
	return key
}

// list is a list from words: "chain NAME", "set NAME", "table", "rename NOW BEFORE",
// all of the table filter.
func list(words ...string) List {
	l := newList()
	for _, w := range words {
		f := strings.Fields(w)
		switch f[0] {
		case "table":
			l.Tables[filter] = true
		case "chain":
			l.Chains[in(filter, f[1])] = true
		case "set":
			l.Sets[in(filter, f[1])] = true
		case "rename":
			l.Renamed[in(filter, f[1])] = f[2]
		}
	}
	return l
}

// held is a host's table with a journal, and its lock where it is live.
func held(j Journal, t *program.Table) *program.Program {
	p := &program.Program{Tables: []*program.Table{t}}
	x := &program.Table{Family: program.IP, Name: j.table().Name, UserData: j.table().UserData}
	for _, op := range j.Begin() {
		switch op.Kind {
		case driver.AddSet:
			s := *op.Set
			x.Sets = append(x.Sets, &s)
		case driver.AddElements:
			s := x.Set(op.Set.Name)
			s.Elements = append(s.Elements, op.Set.Elements...)
		}
	}
	p.Tables = append(p.Tables, x)
	if j.Live {
		lock := *j.Lock()
		lock.Flags = program.TableOwned
		p.Tables = append(p.Tables, &lock)
	}
	return p
}

func chainTo(name string, to ...string) *program.Chain {
	c := &program.Chain{Name: name}
	for _, x := range to {
		c.Rules = append(c.Rules, &program.Rule{Exprs: []program.Expr{program.Verdict{Kind: program.NFTJump, Chain: x}}})
	}
	return c
}

func looksUp(c *program.Chain, set string) *program.Chain {
	c.Rules = append(c.Rules, &program.Rule{Exprs: []program.Expr{program.Lookup{Name: set}}})
	return c
}

func names(t *program.Table) string {
	if t == nil {
		return "no table"
	}
	var out []string
	for _, c := range t.Chains {
		out = append(out, c.Name)
	}
	for _, s := range t.Sets {
		out = append(out, "@"+s.Name)
	}
	return strings.Join(out, " ")
}

func TestHideAndUndo(t *testing.T) {
	base := func(to ...string) *program.Chain {
		c := chainTo("INPUT", to...)
		c.Base = true
		return c
	}
	for _, tc := range []struct {
		name    string
		journal Journal
		chains  []*program.Chain
		sets    []string
		shown   string
		undo    string
	}{
		{"pending: what is staged is hidden", Journal{Pending: true, Staged: list("chain A", "chain B", "set s"), Swept: list("chain OLD")},
			[]*program.Chain{base("OLD"), chainTo("OLD"), chainTo("A", "B"), looksUp(chainTo("B"), "s")}, []string{"s", "other"},
			"INPUT OLD @other", "flush A, flush B, delete set s, delete A, delete B, delete table x-stage"},
		{"turned: what is swept is hidden", Journal{Swept: list("chain OLD", "set old")},
			[]*program.Chain{base("A"), looksUp(chainTo("OLD"), "old"), chainTo("A")}, []string{"old"},
			"INPUT A", "flush OLD, delete set old, delete OLD, delete table x-stage"},
		{"what somebody refers to stays, and what that leads to", Journal{Pending: true, Staged: list("chain A", "chain B", "chain C", "set s", "set u")},
			[]*program.Chain{base("B"), chainTo("A", "B"), looksUp(chainTo("B", "C"), "s"), chainTo("C")}, []string{"s", "u"},
			"INPUT B C @s", "flush A, delete set u, delete A, delete table x-stage"},
		{"a new table", Journal{Pending: true, Staged: list("table", "chain A", "set s")},
			[]*program.Chain{looksUp(chainTo("A"), "s")}, []string{"s"},
			"no table", "delete table x-filter, delete table x-stage"},
		{"a new table that somebody uses", Journal{Pending: true, Staged: list("table", "chain A")},
			[]*program.Chain{chainTo("A"), base()}, nil,
			"INPUT", "delete A, delete table x-stage"},
		{"a table that goes, and one that came back", Journal{Swept: list("table", "chain A")},
			[]*program.Chain{chainTo("A"), base("A")}, nil,
			"A INPUT", "delete table x-stage"},
		{"a chain out of the way", Journal{Pending: true, Staged: list("chain INPUT", "rename INPUT.old1 INPUT")},
			[]*program.Chain{chainTo("INPUT.old1"), chainTo("INPUT"), chainTo("A", "INPUT.old1")}, nil,
			"INPUT A", "delete INPUT, rename INPUT.old1 to INPUT, delete table x-stage"},
		{"out of the way for good", Journal{Swept: list("chain INPUT.old1"), Staged: list("rename INPUT.old1 INPUT")},
			[]*program.Chain{chainTo("INPUT.old1"), chainTo("INPUT")}, nil,
			"INPUT", "delete INPUT.old1, delete table x-stage"},
		{"nothing there yet", Journal{Pending: true, Staged: list("chain A", "set s")},
			[]*program.Chain{base()}, nil, "INPUT", "delete table x-stage"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.journal.Owner, tc.journal.Token = "x", "0011223344556677"
			tab := &program.Table{Family: program.IP, Name: "x-filter", Chains: tc.chains}
			for _, s := range tc.sets {
				tab.Sets = append(tab.Sets, &program.Set{Name: s})
			}
			p := held(tc.journal, tab)
			js := Read(p, "x")
			if len(js) != 1 || js[0].Pending != tc.journal.Pending || js[0].Live {
				t.Fatalf("%+v", js)
			}
			got := Hide(p, "x", "", js)
			if got := names(got.Table(program.IP, "x-filter")); got != tc.shown || len(p.Tables) != 2 {
				t.Errorf("shown: %s, want %s", got, tc.shown)
			}
			if got := said(js[0].Undo(p)); got != tc.undo {
				t.Errorf("undo: %s\nwant: %s", got, tc.undo)
			}
		})
	}
}

func said(ops []driver.Op) string {
	var out []string
	for _, op := range ops {
		switch op.Kind {
		case driver.FlushChain:
			out = append(out, "flush "+op.Chain.Name)
		case driver.DeleteChain:
			out = append(out, "delete "+op.Chain.Name)
		case driver.DeleteSet:
			out = append(out, "delete set "+op.Set.Name)
		case driver.DeleteTable:
			out = append(out, "delete table "+strings.TrimSuffix(op.Table.Name, "-0011223344556677"))
		case driver.RenameChain:
			out = append(out, fmt.Sprintf("rename %s to %s", op.Chain.Name, op.To))
		default:
			out = append(out, op.Kind.String())
		}
	}
	return strings.Join(out, ", ")
}

// A journal's own process sees what it names; all others hide it, alive or dead.
func TestWhoSees(t *testing.T) {
	j := New("x", list("chain A"), List{})
	j.Live = true
	p := held(j, &program.Table{Family: program.IP, Name: "x-filter", Chains: []*program.Chain{chainTo("A")}})
	js := Read(p, "x")
	if len(js) != 1 || !js[0].Live || !js[0].Pending {
		t.Fatalf("%+v", js)
	}
	own := Hide(p, "x", j.Token, js)
	if len(own.Tables) != 2 || names(own.Tables[0]) != "A" || own.Tables[1].Name != j.table().Name {
		t.Errorf("its own: %v", own.Tables)
	}
	other := Hide(p, "x", "", js)
	if len(other.Tables) != 1 || names(other.Tables[0]) != "" {
		t.Errorf("another's: %v", other.Tables)
	}
	if js := Read(p, "y"); len(js) != 0 || Hide(p, "y", "", js) != p {
		t.Errorf("another owner's: %v", js)
	}
	for name, want := range map[string]bool{
		j.table().Name: true, j.Lock().Name: true, "x-filter": false, "x-stage-": false, "x-stage-00": false,
		"x-stage-zzzzzzzzzzzzzzzz": false, "x-y-stage-0011223344556677": false,
	} {
		if Is("x", name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
	p.Tables[1].UserData = "" // somebody's table of that name is not ours
	if js := Read(p, "x"); len(js) != 0 {
		t.Errorf("%v", js)
	}
}

func TestSteps(t *testing.T) {
	for _, tc := range []struct {
		staged, swept    List
		begin, turn, end string
	}{
		{list("chain A"), List{}, "add table, add set, add elements", "delete table x-stage", ""},
		{list("chain A"), list("chain B"), "add table, add set, add elements, add set, add elements", "delete set staged", "delete table x-stage"},
		{List{}, list("set B"), "add table, add set, add elements", "", "delete table x-stage"},
	} {
		j := New("x", tc.staged, tc.swept)
		j.Token = "0011223344556677"
		if b, u, e := said(j.Begin()), said(j.Turn()), said(j.End()); b != tc.begin || u != tc.turn || e != tc.end {
			t.Errorf("%s; %s; %s", b, u, e)
		}
	}
}

func TestNames(t *testing.T) {
	tab := &program.Table{Family: program.IP, Name: "x-filter"}
	add := func(k driver.OpKind, name string) []driver.Op {
		return []driver.Op{{Kind: k, Table: tab, Chain: &program.Chain{Name: name}, Set: &program.Set{Name: name}, To: name}}
	}
	l := list("table", "chain A", "set s")
	for _, tc := range []struct {
		ops  []driver.Op
		want bool
	}{
		{add(driver.AddChain, "A"), true}, {add(driver.AddChain, "s"), false}, {add(driver.AddSet, "s"), true},
		{add(driver.AddTable, ""), true}, {add(driver.RenameChain, "A"), true}, {add(driver.RenameChain, "B"), false},
		{add(driver.AddRule, "A"), false},
	} {
		if got := l.Names(tc.ops); got != tc.want {
			t.Errorf("%v %s: %t", tc.ops[0].Kind, tc.ops[0].To, got)
		}
	}
	if !list("rename A.old1 A").Names(add(driver.AddRule, "A")) {
		t.Error("a rule for a chain that is under another name would go to another chain")
	}
}

// Whatever the names, a list comes back, and nft could load its lines.
func TestLinesComeBack(t *testing.T) {
	word := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9._/-]{1,30}`), rapid.StringN(1, 8, 27))
	rapid.Check(t, func(t *rapid.T) {
		l := newList()
		keys := rapid.Custom(func(t *rapid.T) Key {
			return Key{rapid.SampledFrom([]program.Family{program.IP, program.IP6, program.Inet}).Draw(t, "family"), word.Draw(t, "table"), word.Draw(t, "name")}
		})
		for _, k := range rapid.SliceOfN(keys, 0, 40).Draw(t, "keys") {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				l.Tables[in(k, "")] = true
			case 1:
				l.Chains[k] = true
			case 2:
				l.Sets[k] = true
			case 3:
				l.Renamed[k] = word.Draw(t, "was")
			}
		}
		back := newList()
		for _, line := range l.lines() {
			if len(line) > 252 || strings.ContainsAny(line, "\"\n") {
				t.Fatalf("%q", line)
			}
			back.parse(line)
		}
		if d := cmp.Diff(l, back); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "chain", "chain ip", "table ip x-filter", "chain inet x-filter A B%20C", "set ip6 x-nat s", "rename ip x A.old1 A B", "chain arp x A", "chain ip %zz A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, b := newList(), newList()
		a.parse(s)
		for _, line := range a.lines() {
			b.parse(line)
		}
		if !cmp.Equal(a, b) && !slices.Contains(strings.Fields(s), "%20") {
			t.Errorf("%q: %+v, then %+v", s, a, b)
		}
	})
}
