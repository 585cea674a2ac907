package image_test

import (
	"net/netip"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/image"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Rules that are Equal have one print, and those that are not have different ones, though
// they be made of the same words.
func TestPrints(t *testing.T) {
	source, dest := match.Source(netip.MustParseAddr("192.0.2.1")), match.Dest(netip.MustParseAddr("192.0.2.1"))
	rules := []rule.Rule{
		rule.Accept(), rule.Drop(), rule.Jump("a"), rule.Goto("a"), rule.Jump("b"),
		rule.Accept(source), rule.Accept(dest), rule.Drop(source),
		rule.Accept(match.In("a")), rule.Accept(match.Out("a")), rule.Accept(match.NotIn("a")),
		rule.Accept(match.Comment("a"), match.Comment("b")), rule.Accept(match.Comment("b"), match.Comment("a")),
		rule.Accept(match.Dport(nf.TCP, 1)), rule.Accept(match.Dport(nf.UDP, 1)),
	}
	p := image.NewPrints()
	for i, r := range rules {
		if p.Of(r) != p.Of(r.WithCounters(nf.Counters{Packets: 1})) {
			t.Errorf("%v: counters are in it", r)
		}
		for j, s := range rules {
			if (p.Of(r) == p.Of(s)) != (i == j) {
				t.Errorf("%v and %v: %t", r, s, p.Of(r) == p.Of(s))
			}
		}
	}
}
