package constset

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// exact is a list of single ports.
func exact(list ...uint16) program.ConstSet {
	c := program.ConstSet{Type: program.TypeService, Len: 2}
	for _, p := range list {
		c.Elems += string([]byte{byte(p >> 8), byte(p)})
	}
	return c
}

// looksUp is the name of the set in which a rule of the table's first chain looks
// its port up.
func looksUp(p *program.Program, rule int) string {
	return p.Tables[0].Chains[0].Rules[rule].Exprs[1].(program.Lookup).Name
}

// TestManyAlike: of more than 256 lists of single keys those that rules share
// become one set; a table with fewer keeps them where they are.
func TestManyAlike(t *testing.T) {
	var rules []*program.Rule
	for i := range uint16(128) {
		rules = append(rules, in(exact(25, 80), i%2 == 0), in(exact(1000+i, 2000+i), false))
	}
	few := table(rules...)
	if d := cmp.Diff(few, Lower(few)); d != "" {
		t.Errorf("256 lists:\n%s", d)
	}
	many := table(append(rules, in(exact(1, 2, 3, 4, 5, 6, 1000, 2000, 3000, 4000), false), in(exact(1, 2, 3, 4, 5, 6, 1000, 2000, 3000, 4000), false))...)
	low := Lower(many)
	if s := low.Tables[0].Sets; len(s) != 2 || s[0].Name != "ports_25_80" || len(s[1].Name) != len("ports_")+16 {
		t.Fatalf("sets %v", s)
	}
	s := low.Tables[0].Sets[0]
	if s.Flags != program.SetConstant || len(s.Elements) != 2 || s.Elements[1] != (program.Element{Key: "\x00\x50"}) {
		t.Errorf("set %+v", s)
	}
	for i, want := range []string{"ports_25_80", "", "ports_25_80", ""} {
		if got := looksUp(low, i); got != want {
			t.Errorf("rule %d looks %q up, want %q", i+1, got, want)
		}
	}
	if got := looksUp(low, 256); got != low.Tables[0].Sets[1].Name || looksUp(low, 257) != got {
		t.Errorf("the last two rules look %q and %q up", got, looksUp(low, 257))
	}
	if d := cmp.Diff(many, Raise(low)); d != "" {
		t.Errorf("raised:\n%s", d)
	}
}

// TestAlikeInName: ranges of one port each are another set than these ports.
func TestAlikeInName(t *testing.T) {
	rules := []*program.Rule{in(ports(25, 25, 80, 80), false)}
	for range anonymous + 1 {
		rules = append(rules, in(exact(25, 80), false))
	}
	p := table(rules...)
	low := Lower(p)
	if a, b := looksUp(low, 0), looksUp(low, 1); a == b || b != "ports_25_80" {
		t.Errorf("ranges are called %q, ports %q", a, b)
	}
	if d := cmp.Diff(p, Raise(low)); d != "" {
		t.Error(d)
	}
}

func TestManyAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.IntRange(1, 300).Draw(t, "kinds")
		n := rapid.IntRange(anonymous-1, anonymous+60).Draw(t, "rules")
		ranges := lists().Draw(t, "ranges")
		var rules []*program.Rule
		for i := range n {
			k := uint16(i % kinds)
			rules = append(rules, in(exact(k, k+1000), i%3 == 0))
			if i%7 == 6 {
				rules = append(rules, in(ranges, false))
			}
		}
		p := table(rules...)
		low := Lower(p)
		if back := Raise(low); !reflect.DeepEqual(p, back) {
			t.Fatal(cmp.Diff(p, back))
		}
		if again := Lower(low); !reflect.DeepEqual(low, again) {
			t.Fatalf("lowered twice:\n%s", cmp.Diff(low, again))
		}
		if named := looksUp(low, 1) != ""; named != (n > anonymous && n > kinds+1) {
			t.Fatalf("%d rules of %d kinds: named %v", n, kinds, named)
		}
	})
}
