package xt

import "testing"

func TestSetSizesAreTheKernels(t *testing.T) {
	if n := len(Encode(Set{})); n != 48 {
		t.Errorf("set: %d bytes, want 48", n)
	}
	if n := len(Encode(SetTarget{})); n != 24 {
		t.Errorf("SET: %d bytes, want 24", n)
	}
}

// Numbers go where the struct has them, and nowhere else.
func TestIPSetIndex(t *testing.T) {
	match := Encode(Set{Match: IPSet{Index: NoIPSet, Dim: 1, Flags: 3}, Flags: 9})
	b, ok := Decode[Set](WithIPSetIndex(match, 0, 7))
	if want := (Set{Match: IPSet{Index: 7, Dim: 1, Flags: 3}, Flags: 9}); !ok || b != want {
		t.Errorf("%+v, want %+v", b, want)
	}
	target := Encode(SetTarget{Add: IPSet{1, 1, 2}, Del: IPSet{2, 1, 2}, Map: IPSet{3, 1, 2}, Timeout: 5})
	for i := range 3 {
		if got := IPSetIndex(target, i); got != uint16(i+1) {
			t.Errorf("set %d has number %d", i, got)
		}
	}
	c, ok := Decode[SetTarget](WithIPSetIndex(target, 2, 9))
	if want := (SetTarget{Add: IPSet{1, 1, 2}, Del: IPSet{2, 1, 2}, Map: IPSet{9, 1, 2}, Timeout: 5}); !ok || c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	if WithIPSetIndex("ab", 0, 1) != "ab" || IPSetIndex("ab", 0) != NoIPSet {
		t.Error("a struct that is too short has a set")
	}
}

func TestIPSetFields(t *testing.T) {
	for _, tc := range []struct {
		name   string
		rev    uint32
		target bool
		want   int
	}{
		{"set", 4, false, 1}, {"set", 1, false, 1}, {"set", 0, false, 0}, {"set", 5, false, 0}, {"set", 4, true, 0},
		{"SET", 3, true, 3}, {"SET", 2, true, 2}, {"SET", 1, true, 2}, {"SET", 0, true, 0}, {"SET", 4, true, 0},
		{"SET", 3, false, 0}, {"tcp", 1, false, 0},
	} {
		if got := IPSetFields(tc.name, tc.rev, tc.target); got != tc.want {
			t.Errorf("%s revision %d, target %t: %d, want %d", tc.name, tc.rev, tc.target, got, tc.want)
		}
	}
}
