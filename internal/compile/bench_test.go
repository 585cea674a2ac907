package compile_test

import (
	"net/netip"
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// many is n rules as firewalls have thousands of.
func many(n int) table.Ruleset {
	rules := make([]rule.Rule, n)
	for i := range rules {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		rules[i] = rule.Accept(match.Source(a), match.Dport(nf.TCP, uint16(i)))
	}
	return table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, rules...)))
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		many(10_000)
	}
}

func BenchmarkRuleset(b *testing.B) {
	rs := many(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := compile.Ruleset(rs, compile.Options{Owner: "x"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	p, err := compile.Ruleset(many(10_000), compile.Options{Owner: "x"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := compile.Read(p, compile.Options{Owner: "x"}); err != nil {
			b.Fatal(err)
		}
	}
}
