package corpus

import (
	"slices"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	names := Rules(t)
	for _, want := range []string{"nas.rules", "nas.ip6.rules", "openlab.rules"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %v", want, names)
		}
	}
	for _, name := range names {
		if !strings.Contains(Text(t, name), "COMMIT") {
			t.Errorf("%s: no COMMIT", name)
		}
	}
	if !V6("nas.ip6.rules") || V6("nas.rules") {
		t.Error("V6")
	}
}
