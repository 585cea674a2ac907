package page

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// programs are tables of a base chain and some user chains, each jumping to
// later ones only.
func programs() *rapid.Generator[*program.Program] {
	return rapid.Custom(func(t *rapid.T) *program.Program {
		n := rapid.IntRange(1, 5).Draw(t, "chains")
		var chains []*program.Chain
		for i := range n {
			c := user(fmt.Sprintf("C%d", i))
			if i == 0 {
				c = base("C0")
			}
			for range rapid.IntRange(0, 40).Draw(t, "rules") {
				c.Rules = append(c.Rules, drawRule(t, i, n))
			}
			chains = append(chains, c)
		}
		return table(chains...)
	})
}

// drawRule is a rule of chain i of n.
func drawRule(t *rapid.T, i, n int) *program.Rule {
	m := uint32(rapid.IntRange(0, 9).Draw(t, "mark"))
	v := program.Verdict{Kind: program.NFTContinue}
	switch k := rapid.IntRange(0, 12).Draw(t, "kind"); {
	case k == 0:
		v.Kind = program.NFTReturn
	case k == 1 && i+1 < n:
		v = program.Verdict{Kind: program.NFTGoto, Chain: fmt.Sprintf("C%d", rapid.IntRange(i+1, n-1).Draw(t, "to"))}
	case k <= 3 && i+1 < n:
		v = program.Verdict{Kind: program.NFTJump, Chain: fmt.Sprintf("C%d", rapid.IntRange(i+1, n-1).Draw(t, "to"))}
	case k == 4:
		v.Kind = program.NFDrop
	case k == 5:
		v.Kind = program.NFAccept
	}
	r := mark(m, v)
	r.Line = rapid.IntRange(0, 3).Draw(t, "line")
	return r
}

// run is what becomes of a packet with a mark: the verdict and which rules it
// met, pages' jumps left out.
func run(t *program.Table, m uint32) (trace []string, verdict program.VerdictKind) {
	var walk func(c *program.Chain) (program.VerdictKind, bool)
	walk = func(c *program.Chain) (program.VerdictKind, bool) {
		for _, r := range c.Rules {
			v := r.Exprs[len(r.Exprs)-1].(program.Verdict)
			if len(r.Exprs) > 1 {
				trace = append(trace, fmt.Sprintf("%p", r))
				if r.Exprs[1].(program.Cmp).Value != program.Host32(m) {
					continue
				}
			}
			switch v.Kind {
			case program.NFTReturn:
				return 0, false
			case program.NFTGoto:
				return walk(t.Chain(v.Chain))
			case program.NFTJump:
				if k, done := walk(t.Chain(v.Chain)); done {
					return k, true
				}
			case program.NFTContinue:
			default:
				return v.Kind, true
			}
		}
		return 0, false
	}
	if k, done := walk(t.Chains[0]); done {
		return trace, k
	}
	return trace, t.Chains[0].Policy
}

// edit is a program with a few rules inserted, deleted or moved.
func edit(t *rapid.T, p *program.Program) *program.Program {
	old := p.Tables[0]
	next := *old
	next.Chains = nil
	for i, c := range old.Chains {
		d := *c
		d.Rules = slices.Clone(c.Rules)
		for range rapid.IntRange(0, 3).Draw(t, "edits") {
			n := len(d.Rules)
			switch at := rapid.IntRange(0, n).Draw(t, "at"); rapid.IntRange(0, 3).Draw(t, "edit") {
			case 0, 1:
				for range rapid.IntRange(1, 12).Draw(t, "new") {
					d.Rules = slices.Insert(d.Rules, at, drawRule(t, i, len(old.Chains)))
				}
			case 2:
				d.Rules = slices.Delete(d.Rules, at, min(n, at+rapid.IntRange(0, 15).Draw(t, "gone")))
			case 3:
				if at < n {
					d.Rules[at] = drawRule(t, i, len(old.Chains))
				}
			}
		}
		next.Chains = append(next.Chains, &d)
	}
	return &program.Program{Tables: []*program.Table{&next}}
}

func TestPageAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 20).Draw(t, "size")
		p := programs().Draw(t, "program")
		var have *program.Program
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			paged := Page(p, have, size)
			if d := cmp.Diff(p, Unpage(paged)); d != "" {
				t.Fatalf("and back:\n%s", d)
			}
			check(t, p, paged, size)
			if d := cmp.Diff(paged, Page(p, paged, size)); d != "" {
				t.Fatalf("paged again, nothing changed, but:\n%s", d)
			}
			if have != nil {
				checkKept(t, have, paged, size)
			}
			have, p = paged, edit(t, p)
		}
	})
}

// check looks at the pages' sizes, the depth, and what packets meet.
func check(t *rapid.T, p, paged *program.Program, size int) {
	for name, l := range layouts(paged.Tables[0]) {
		for _, c := range l.pages {
			if len(c.Rules) == 0 || len(c.Rules) > size {
				t.Fatalf("page %s of %s has %d rules of %d", c.Name, name, len(c.Rules), size)
			}
		}
	}
	if d := deepest(paged.Tables[0]); d > 15 {
		t.Fatalf("%d deep", d)
	}
	for m := range uint32(11) {
		wantTrace, want := run(p.Tables[0], m)
		gotTrace, got := run(paged.Tables[0], m)
		if got != want || !slices.Equal(gotTrace, wantTrace) {
			t.Fatalf("mark %d: %v over %d rules, in pages %v over %d", m, want, len(wantTrace), got, len(gotTrace))
		}
	}
}

// checkKept: a page that is there before and after has its name for a reason: the
// two have a rule in common. And neighbours are not both nearly empty.
func checkKept(t *rapid.T, before, after *program.Program, size int) {
	for _, c := range after.Tables[0].Chains {
		old := before.Tables[0].Chain(c.Name)
		if old == nil || c.UserData == "" {
			continue
		}
		if !slices.ContainsFunc(c.Rules, func(r *program.Rule) bool {
			return slices.ContainsFunc(old.Rules, r.Same)
		}) {
			t.Fatalf("page %s kept nothing", c.Name)
		}
	}
	for name, l := range layouts(after.Tables[0]) {
		at := map[string]int{}
		for i, c := range l.pages {
			at[c.Name] = i
		}
		last := -1
		for _, r := range after.Tables[0].Chain(name).Rules {
			i, is := at[spineJump(r)]
			if is && last >= 0 && len(l.pages[i].Rules)+len(l.pages[last].Rules) <= size/4 {
				t.Fatalf("pages %s and %s have %d rules together", l.pages[last].Name, l.pages[i].Name,
					len(l.pages[i].Rules)+len(l.pages[last].Rules))
			}
			if last = -1; is {
				last = i
			}
		}
	}
}
