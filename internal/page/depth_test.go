package page

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// jumpTo is a rule that jumps to a chain for one mark.
func jumpTo(name string) *program.Rule {
	return mark(1, program.Verdict{Kind: program.NFTJump, Chain: name})
}

// stack is a base chain C0 with n chains below it, each jumping to the next.
func stack(n int, rules func(i int) []*program.Rule) []*program.Chain {
	var out []*program.Chain
	for i := range n + 1 {
		c := user(fmt.Sprintf("C%d", i), rules(i)...)
		if i == 0 {
			c = base("C0", c.Rules...)
		}
		if i < n {
			c.Rules = append([]*program.Rule{jumpTo(fmt.Sprintf("C%d", i+1))}, c.Rules...)
		}
		out = append(out, c)
	}
	return out
}

// isPaged says whether a chain of the program has pages.
func isPaged(p *program.Program, name string) bool {
	l := layouts(p.Tables[0])
	return l[name] != nil
}

// TestDepth: the kernel takes 15 chains below a base chain. A page is one.
func TestDepth(t *testing.T) {
	longAt := func(at int) func(int) []*program.Rule {
		return func(i int) []*program.Rule {
			if i == at {
				return accepts(1, 9)
			}
			return nil
		}
	}
	for _, c := range []struct {
		below, long int
		paged       bool
	}{
		{14, 0, true}, {15, 0, false}, {14, 7, true}, {15, 7, false}, {14, 14, true}, {15, 15, false}, {15, 14, false},
	} {
		p := table(stack(c.below, longAt(c.long))...)
		got := Page(p, nil, 8)
		if isPaged(got, fmt.Sprintf("C%d", c.long)) != c.paged {
			t.Errorf("%d chains below, C%d long: paged is %t", c.below, c.long, !c.paged)
		}
		if d := deepest(got.Tables[0]); d > 15 {
			t.Errorf("%d chains below, C%d long: %d deep", c.below, c.long, d)
		}
	}
}

// TestDepthLongestFirst: where there is a level to spare for one, the longest gets it.
func TestDepthLongestFirst(t *testing.T) {
	chains := stack(14, func(i int) []*program.Rule {
		switch i {
		case 3:
			return accepts(1, 9)
		case 5:
			return accepts(1, 30)
		}
		return nil
	})
	p := table(chains...)
	got := Page(p, nil, 8)
	if isPaged(got, "C3") || !isPaged(got, "C5") {
		t.Errorf("C3 %t, C5 %t, want the longer paged", isPaged(got, "C3"), isPaged(got, "C5"))
	}
	// The one that has pages keeps them.
	p.Tables[0].Chain("C3").Rules = append([]*program.Rule{jumpTo("C4")}, accepts(1, 60)...)
	got = Page(p, got, 8)
	if isPaged(got, "C3") || !isPaged(got, "C5") {
		t.Errorf("C3 %t, C5 %t, want C5 to keep its pages", isPaged(got, "C3"), isPaged(got, "C5"))
	}
}

// TestGotoInSpineIsNoLevel: what stays in the spine goes down no further.
func TestGotoInSpineIsNoLevel(t *testing.T) {
	chains := stack(15, func(int) []*program.Rule { return nil })
	chains[0].Rules = append([]*program.Rule{mark(1, program.Verdict{Kind: program.NFTGoto, Chain: "C1"})}, accepts(1, 9)...)
	if got := Page(table(chains...), nil, 8); !isPaged(got, "C0") {
		t.Error("C0 is not paged, though its goto stays in the spine")
	}
}

// TestLoop: a loop that no base chain reaches is nothing to be paged, nor to hang in.
func TestLoop(t *testing.T) {
	p := table(
		base("INPUT", accepts(1, 9)...),
		user("A", append(accepts(1, 9), jumpTo("B"))...),
		user("B", append(accepts(1, 9), jumpTo("A"))...),
		user("C", accepts(1, 9)...),
	)
	got := Page(p, nil, 8)
	if isPaged(got, "A") || isPaged(got, "B") || !isPaged(got, "INPUT") || !isPaged(got, "C") {
		t.Error(shape(got))
	}
	if d := cmp.Diff(p, Unpage(got)); d != "" {
		t.Error(d)
	}
}

// TestFan: 3.5e13 paths are measured at once.
func TestFan(t *testing.T) {
	var chains []*program.Chain
	for level := range 14 {
		for i := range 8 {
			c := user(fmt.Sprintf("L%d-%d", level, i), accepts(1, 9)...)
			if level == 0 {
				c = base(c.Name, c.Rules...)
			}
			for j := range 8 {
				if level < 13 {
					c.Rules = append(c.Rules, jumpTo(fmt.Sprintf("L%d-%d", level+1, j)))
				}
			}
			chains = append(chains, c)
		}
	}
	got := Page(table(chains...), nil, 8).Tables[0]
	if d := deepest(got); d > 15 {
		t.Errorf("%d deep", d)
	}
}

// deepest is how many chains lie below a base chain at most, as the kernel counts.
func deepest(t *program.Table) int {
	known := map[string]int{}
	var down func(c *program.Chain) int
	down = func(c *program.Chain) int {
		if d, ok := known[c.Name]; ok {
			return d
		}
		d := 0
		for _, r := range c.Rules {
			for to := range r.Jumps {
				d = max(d, 1+down(t.Chain(to)))
			}
		}
		known[c.Name] = d
		return d
	}
	d := 0
	for _, c := range t.Chains {
		if c.Base {
			d = max(d, down(c))
		}
	}
	return d
}
