package program

import (
	"slices"
	"testing"
)

// What Put replaces is replaced for the reader, and in AsPut; the program that was
// given stays as it is.
func TestPut(t *testing.T) {
	loose, tidy := XTMatch{Name: "recent", Info: "\xff"}, XTMatch{Name: "recent", Info: "\x00"}
	exprs := []Expr{Counter{}, loose, Meta{Key: MetaCPU, Reg: 1}, Cmp{Reg: 1, Value: Host32(1)}}
	r := NewReader(exprs, Env{}, nil)
	if got := r.AsPut(exprs); &got[0] != &exprs[0] {
		t.Error("a copy though nothing was put")
	}
	r.Take(1)
	r.Put(tidy)
	if r.Item(0) != Expr(tidy) || exprs[1] != Expr(loose) {
		t.Errorf("next is %v; the program has %v", r.Item(0), exprs[1])
	}
	if got, want := r.AsPut(exprs), []Expr{exprs[0], tidy, exprs[2], exprs[3]}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	r.Take(1)
	r.Put(tidy) // a test is no expression to replace
	if _, ok := r.Test(0); !ok {
		t.Error("a test was replaced")
	}
	r.Reset(exprs, Env{}, nil)
	if got := r.AsPut(exprs); got[1] != Expr(loose) {
		t.Errorf("%v is left from before", got)
	}
}
