package rule

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// typical is a rule as firewalls have thousands of.
const typical = "-s 10.0.0.1/32 -p tcp -m tcp --dport 22 -j ACCEPT"

func BenchmarkParse(b *testing.B) {
	for _, text := range [...]string{
		typical,
		"-p tcp -j ACCEPT",
		"-i eth0 -p udp -m multiport --dports 53,123 -m conntrack --ctstate NEW -m comment --comment \"a word or two\" -j ACCEPT",
	} {
		b.Run(text[:15], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text, nf.IPv4); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkString(b *testing.B) {
	r, err := Parse(typical, nf.IPv4)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r.String() != typical {
			b.Fatal(r)
		}
	}
}

// TestAllocations holds reading and printing a rule to what a ruleset of
// 100,000 can afford.
func TestAllocations(t *testing.T) {
	var r Rule
	if n := testing.AllocsPerRun(100, func() { r, _ = Parse(typical, nf.IPv4) }); n > 10 {
		t.Errorf("Parse allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = r.String() }); n > 8 {
		t.Errorf("String allocates %v times", n)
	}
}
