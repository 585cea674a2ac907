package rule_test

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// A rule keeps the family of the command that it was given to, in words where a
// table for both families would lose it.
func TestInATableForBothTheFamilyIsSaid(t *testing.T) {
	for _, tc := range []struct {
		text     string
		from, in nf.Family
		want     string
	}{
		{"-p tcp -j ACCEPT", nf.IPv4, nf.Both, "-4 -p tcp -j ACCEPT"},
		{"-j DROP", nf.IPv6, nf.Both, "-6 -j DROP"},
		{"-s 10.0.0.0/8 -j DROP", nf.IPv4, nf.Both, "-s 10.0.0.0/8 -j DROP"}, // the address says it
		{"-p icmp -m icmp --icmp-type 8", nf.IPv4, nf.Both, "-p icmp -m icmp --icmp-type 8"},
		{"-4 -j DROP", nf.Both, nf.Both, "-4 -j DROP"},
		{"-j DROP", nf.Both, nf.Both, "-j DROP"},
		{"-4 -j DROP", nf.Both, nf.IPv4, "-j DROP"}, // the table says it
		{"-j DROP", nf.IPv4, nf.IPv4, "-j DROP"},
	} {
		r, err := rule.Parse(tc.text, tc.from)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		got := r.In(tc.in)
		if got.String() != tc.want || got.Err() != nil {
			t.Errorf("%s of %v in a table for %v is %q, %v, want %q", tc.text, tc.from, tc.in, got, got.Err(), tc.want)
		}
		if again := got.In(tc.in); !again.Equal(got) {
			t.Errorf("%s: twice is not once: %s", got, again)
		}
		if back, err := rule.Parse(got.String(), tc.in); err != nil || !back.Equal(got) {
			t.Errorf("%s does not come back: %v, %v", got, back, err)
		}
	}
	r, _ := rule.Parse("-p tcp", nf.IPv4)
	if r.In(nf.IPv6).Err() == nil {
		t.Error("a rule of IPv4 fits a table for IPv6")
	}
}
