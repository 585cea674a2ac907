package rule

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TestSeveral: a list of addresses is a rule for each pair, and no rule sees
// what another was made of.
func TestSeveral(t *testing.T) {
	rs, err := ParseLine("-s 10.0.0.1,10.0.0.2 -d 10.1.0.0/16,10.2.0.0/16 -p tcp -m tcp --dport 22 -m comment --comment x -j ACCEPT", nf.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	const rest = " -p tcp -m tcp --dport 22 -m comment --comment x -j ACCEPT"
	want := []string{
		"-s 10.0.0.1/32 -d 10.1.0.0/16" + rest, "-s 10.0.0.1/32 -d 10.2.0.0/16" + rest,
		"-s 10.0.0.2/32 -d 10.1.0.0/16" + rest, "-s 10.0.0.2/32 -d 10.2.0.0/16" + rest,
	}
	if len(rs) != len(want) {
		t.Fatalf("%d rules", len(rs))
	}
	for i, r := range rs {
		if r.String() != want[i] {
			t.Errorf("rule %d is %v, want %s", i+1, r, want[i])
		}
	}
	one, err := ParseLine("-s 0.0.0.0/0,10.0.0.2 -j DROP", nf.IPv4)
	if err != nil || len(one) != 2 || one[0].String() != "-j DROP" || one[1].String() != "-s 10.0.0.2/32 -j DROP" {
		t.Errorf("%v, %v", one, err)
	}
}
