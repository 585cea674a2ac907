package difftest

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestEveryOptionHasAValue(t *testing.T) {
	g := New(1)
	known, extensions := map[string]bool{}, map[string]bool{}
	for _, e := range slices.Concat(g.matches, g.targets) {
		extensions[e.ExtName()] = true
		for _, o := range e.Options() {
			known[e.ExtName()+" "+o.Name] = true
			args := o.Args
			if o.Optional {
				args = 1
			}
			for n := range args {
				if _, ok := valueOf(e.ExtName(), o, n); !ok {
					t.Errorf("%s %s: nothing makes its words (%s): give it a Value", e.ExtName(), o.Name, o.Want)
				}
			}
		}
	}
	for _, own := range valueTables() {
		for name := range own {
			if ext, _, _ := strings.Cut(name, " "); extensions[ext] && !known[name] {
				t.Errorf("%s is no option of any extension", name)
			}
		}
	}
}

// The same seed makes the same lines; every extension and option is among them,
// and most lines are good.
func TestLines(t *testing.T) {
	const n = 5000
	a, b := New(7), New(7)
	good := 0
	for range n {
		l := a.Line()
		if l != b.Line() {
			t.Fatalf("seed 7 makes two different lines: %v", l)
		}
		if l.Family != nf.IPv4 && l.Family != nf.IPv6 {
			t.Fatalf("family %v", l.Family)
		}
		if _, err := Ours(l); err == nil {
			good++
		}
	}
	t.Logf("%d of %d lines are good", good, n)
	if good < n/2 || good > n*9/10 {
		t.Errorf("%d of %d lines are good: neither kind may be rare", good, n)
	}
}
