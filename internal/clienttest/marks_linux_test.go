package clienttest

import (
	"net/netip"
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// A VPN marks two bytes of the packet; somebody else's mark in the other two is
// still there afterwards, in both families, in memory of the connection too.
func TestMarksKeepForeignBits(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	w := kernel(t, host)
	fw := w.client(t)
	ours := match.Marked(subnetRoute)
	both := match.Marked(nf.Mark(0x0a04000b))
	w.apply(t, fw, table.NewRuleset(
		table.New(table.Raw, chain.BuiltIn(chain.Prerouting, chain.Accept,
			rule.New(target.SetMark(nf.Mark(0x0aff000b))), // the foreign program: every bit
		)),
		table.New(table.Mangle, chain.BuiltIn(chain.Prerouting, chain.Accept,
			rule.New(target.SetMark(subnetRoute)),
			rule.Count(both),
			rule.New(target.SetConnMark(subnetRoute)),
			rule.Count(match.Connmark{Mark: match.Is(nf.Mark(0x40000))}),
		)),
		table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop,
			rule.Accept(ours, both),
		)),
	))
	for i, a := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		serve(t, host, "udp", netip.AddrPortFrom(netip.MustParseAddr(a), 7))
		if reply, err := peer.Ask(t.Context(), "udp", netip.AddrPortFrom(netip.MustParseAddr(a), 7), "x"); err != nil || reply != "x" {
			t.Errorf("%s: %q, %v", a, reply, err)
		}
		for n, r := range lines(t, fw, table.Mangle, chain.Prerouting) {
			if got := r.Counters().Packets; got != uint64(i+1) {
				t.Errorf("%s: rule %d (%v) counted %d packets, want %d", a, n+1, r, got, i+1)
			}
		}
	}
}

// A host without IPv6 takes a ruleset for both families.
func TestHostWithoutIPv6(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	if err := host.Sysctl("net.ipv6.conf.all.disable_ipv6", "1"); err != nil {
		t.Fatal(err)
	}
	w := kernel(t, host)
	fw := w.client(t)
	w.reload = func(testing.TB) {} // TCPMSS is an xt target
	w.apply(t, fw, tailscale(self, 41641, true))
	serve(t, host, "udp", netip.MustParseAddrPort(labtest.HostIPv4+":41641"))
	if s, err := peer.Connect(t.Context(), "udp", netip.MustParseAddrPort(labtest.HostIPv4+":41641")); s != lab.Open || err != nil {
		t.Errorf("%v, %v", s, err)
	}
	if got := lines(t, fw, table.Filter, chain.Input)[4].Counters().Packets; got != 1 {
		t.Errorf("the rule for the tunnel's port counted %d", got)
	}
}
