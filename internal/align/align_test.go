package align

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// ports are rules that accept a port each, "80 25" and so on.
func ports(list ...int) []*program.Rule {
	out := make([]*program.Rule, len(list))
	for i, p := range list {
		out[i] = &program.Rule{Exprs: []program.Expr{
			program.Payload{Base: program.Transport, Offset: 2, Len: 2, Reg: 1},
			program.Cmp{Op: program.Eq, Reg: 1, Value: program.Net16(uint16(p))},
			program.Counter{Packets: uint64(i)},
			program.Verdict{Kind: program.NFAccept},
		}}
	}
	return out
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []int
		want []int
	}{
		{"nothing", nil, nil, []int{}},
		{"all new", nil, []int{1, 2}, []int{-1, -1}},
		{"the same", []int{1, 2, 3}, []int{1, 2, 3}, []int{0, 1, 2}},
		{"one in front", []int{1, 2, 3}, []int{9, 1, 2, 3}, []int{-1, 0, 1, 2}},
		{"one gone in the middle", []int{1, 2, 3}, []int{1, 3}, []int{0, 2}},
		{"two changed places", []int{1, 2, 3, 4}, []int{1, 3, 2, 4}, []int{0, -1, 1, 3}},
		{"first to last", []int{1, 2, 3, 4}, []int{2, 3, 4, 1}, []int{1, 2, 3, -1}},
	} {
		if got := Rules(ports(c.a...), ports(c.b...)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v and %v: %v, want %v", c.name, c.a, c.b, got, c.want)
		}
	}
}

// TestWhatSameLeavesOut: the hash must leave out whatever Same does.
func TestWhatSameLeavesOut(t *testing.T) {
	for _, pair := range [][2]program.Expr{
		{program.Counter{}, program.Counter{Packets: 7, Bytes: 9}},
		{program.Quota{Bytes: 5}, program.Quota{Bytes: 5, Consumed: 3}},
		{program.NAT{Dest: true, AddrMin: 1}, program.NAT{Dest: true, AddrMin: 1, AddrMax: 1}},
		{program.Masq{ProtoMin: 1}, program.Masq{ProtoMin: 1, ProtoMax: 1}},
		{program.Redir{ProtoMin: 2}, program.Redir{ProtoMin: 2, ProtoMax: 2}},
	} {
		// The ends differ, so that nothing is found without its hash.
		x, y := &program.Rule{Exprs: []program.Expr{program.Notrack{}}}, &program.Rule{UserData: "y"}
		p, q := &program.Rule{Exprs: pair[:1]}, &program.Rule{Exprs: pair[1:]}
		if got := Rules([]*program.Rule{x, p, p, y}, []*program.Rule{y, q, q, x}); !slices.Equal(got, []int{-1, 1, 2, -1}) {
			t.Errorf("%v and %v are the same rule, aligned as %v", pair[0], pair[1], got)
		}
	}
}

// TestIsCommonSubsequence: what is aligned is the same and in order, and as long
// as the textbook's table says.
func TestIsCommonSubsequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.IntRange(1, 30).Draw(t, "kinds")
		list := rapid.SliceOfN(rapid.IntRange(1, kinds), 0, 40)
		a, b := ports(list.Draw(t, "a")...), ports(list.Draw(t, "b")...)
		kept := Rules(a, b)
		last, n := -1, 0
		for j, i := range kept {
			if i < 0 {
				continue
			}
			if i <= last || !a[i].Same(b[j]) {
				t.Fatalf("%d of b is %d of a, after %d", j, i, last)
			}
			last, n = i, n+1
		}
		if want := textbook(a, b); n != want {
			t.Fatalf("%d kept, %d could be", n, want)
		}
	})
}

// textbook is the length of a longest common subsequence, the slow way.
func textbook(a, b []*program.Rule) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			up := row[j+1]
			if x.Same(y) {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = up
		}
	}
	return row[len(b)]
}

// TestFewKinds: thousands of rules that are all alike must not take for ever.
func TestFewKinds(t *testing.T) {
	var a, b []int
	for i := range 20000 {
		a, b = append(a, i%2), append(b, i%3)
	}
	a[0], b[0] = 7, 8
	kept := 0
	for _, i := range Rules(ports(a...), ports(b...)) {
		if i >= 0 {
			kept++
		}
	}
	if kept < 8000 {
		t.Errorf("%d of 20000 kept", kept)
	}
}

func BenchmarkRules(b *testing.B) {
	const n = 100_000
	list := make([]int, n)
	for i := range list {
		list[i] = i % 60_000
	}
	old := ports(list...)
	for name, edit := range map[string]func([]int) []int{
		"insert": func(l []int) []int { return slices.Insert(l, 10, 70_000) },
		"rotate": func(l []int) []int { return append(l[n/2:], l[:n/2]...) },
		"spread": func(l []int) []int {
			for i := 0; i < n; i += 100 {
				l[i] = 60_001
			}
			return l
		},
	} {
		changed := ports(edit(slices.Clone(list))...)
		b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
			for b.Loop() {
				Rules(old, changed)
			}
		})
	}
}
