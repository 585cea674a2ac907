package program

import (
	"slices"
	"testing"
)

func TestIPSetNames(t *testing.T) {
	for _, names := range [][]string{{"a"}, {""}, {"a", "", "b"}, {"", "", ""}, {"", "a b", ""}} {
		joined := IPSetNames(names...)
		again, ok := SplitIPSets(joined, len(names))
		if !ok || !slices.Equal(again, names) {
			t.Errorf("%q is %q and again %q, %t", names, joined, again, ok)
		}
	}
	if joined := IPSetNames("", "", ""); joined != "" {
		t.Errorf("no names are %q", joined)
	}
	if _, ok := SplitIPSets(IPSetNames("a"), 3); ok {
		t.Error("one name is three")
	}
}

func TestIPSetsAreDumped(t *testing.T) {
	for want, e := range map[string]Expr{
		`[match set rev 4 ffff ipsets "a"]`:        XTMatch{Name: "set", Rev: 4, Info: "\xff\xff", IPSets: IPSetNames("a")},
		`[target SET rev 3 ffff ipsets "" "b" ""]`: XTTarget{Name: "SET", Rev: 3, Info: "\xff\xff", IPSets: IPSetNames("", "b", "")},
		`[target SET rev 3 ffff]`:                  XTTarget{Name: "SET", Rev: 3, Info: "\xff\xff"},
	} {
		if got := e.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
