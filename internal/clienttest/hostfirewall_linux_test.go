package clienttest

import (
	"net/netip"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// A host firewall from nothing: lo is not lo1, eth is not eth0, a prefix is both.
func TestHostFirewallKnowsItsInterfaces(t *testing.T) {
	l := labtest.New(t)
	host, peer := l.Host("host"), l.Host("peer")
	for i, device := range []string{"eth0", "eth", "lo1"} {
		n := itoa(uint64(i + 1))
		l.Wire(host.End(device, "192.168."+n+".101/24", "fd00:"+n+"::101/64"), peer.End("eth"+n, "192.168."+n+".102/24", "fd00:"+n+"::102/64"))
	}
	w := kernel(t, host)
	fw := w.client(t)
	w.apply(t, fw, table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop,
			rule.Accept(match.In("lo")),
			rule.Accept(match.States(match.Established|match.Related)),
			rule.Accept(match.In("eth"), match.Dport(nf.TCP, 22)),
			rule.Accept(match.InPrefix("eth"), match.Dport(nf.TCP, 25)),
			rule.Accept(match.NotIn("lo1"), match.Dport(nf.UDP, 53)),
			rule.Jump("neighbours", match.Proto(nf.ICMPv6)),
		),
		chain.New("neighbours", rule.NeighborDiscovery()...),
	)))
	for _, p := range []uint16{22, 25} {
		for _, a := range []string{"0.0.0.0", "::"} {
			serve(t, host, "tcp", netip.AddrPortFrom(netip.MustParseAddr(a), p))
		}
	}
	for _, a := range []string{"0.0.0.0", "::"} {
		serve(t, host, "udp", netip.AddrPortFrom(netip.MustParseAddr(a), 53))
	}
	var probes []lab.Probe
	var want []lab.State
	for _, c := range []struct {
		network       string
		port          uint16
		eth0, eth, lo lab.State
	}{
		{"tcp", 22, lab.Filtered, lab.Open, lab.Filtered},
		{"tcp", 25, lab.Open, lab.Open, lab.Filtered},
		{"udp", 53, lab.Open, lab.Open, lab.Filtered},
	} {
		for i, state := range []lab.State{c.eth0, c.eth, c.lo} {
			n := itoa(uint64(i + 1))
			for _, a := range []string{"192.168." + n + ".101", "fd00:" + n + "::101"} {
				probes = append(probes, lab.Probe{Network: c.network, To: netip.AddrPortFrom(netip.MustParseAddr(a), c.port)})
				want = append(want, state)
			}
		}
	}
	got, err := peer.Probe(t.Context(), probes...)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range probes {
		if got[i].State != want[i] {
			t.Errorf("%s %v: %v, want %v", p.Network, p.To, got[i].State, want[i])
		}
	}
	// lo itself is open, and what the host asks for is answered.
	srv := serve(t, peer, "tcp", netip.MustParseAddrPort("192.168.1.102:7"))
	serve(t, peer, "tcp", netip.MustParseAddrPort("[fd00:3::102]:7"))
	for _, to := range []string{"127.0.0.1:22", "[::1]:22", "192.168.1.102:7", "[fd00:3::102]:7"} {
		if reply, err := host.Ask(t.Context(), "tcp", netip.MustParseAddrPort(to), "hello"); err != nil || reply != "hello" {
			t.Errorf("from the host to %s: %q, %v", to, reply, err)
		}
	}
	if len(srv.Peers()) != 1 {
		t.Errorf("the peer saw %v", srv.Peers())
	}
}

// The mail host's own packets, and what its rules counted of them.
func TestMailhostCounts(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	fw := open(t, host, backend.Config{Owner: "mailhost"})
	if err := fw.Apply(t.Context(), mailhost()); err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		serve(t, host, "tcp", netip.AddrPortFrom(netip.MustParseAddr(a), 25))
		if reply, err := peer.Ask(t.Context(), "tcp", netip.AddrPortFrom(netip.MustParseAddr(a), 25), "HELO"); err != nil || reply != "HELO" {
			t.Errorf("mail over %s: %q, %v", a, reply, err)
		}
		if s, err := peer.Connect(t.Context(), "tcp", netip.AddrPortFrom(netip.MustParseAddr(a), 22)); s != lab.Filtered || err != nil {
			t.Errorf("ssh over %s: %v, %v", a, s, err)
		}
	}
	in := lines(t, fw, table.Filter, chain.Input)
	if n := in[1].Counters().Packets; n < 6 {
		t.Errorf("the rule for mail counted %d packets", n)
	}
	c, _ := tableOf(t, fw, table.Filter).Chain(chain.Input)
	dropped := c.Counters().Packets
	if dropped < 2 {
		t.Errorf("the policy counted %d packets", dropped)
	}
	// One more port is opened: the counters go on.
	edit(t, fw, table.Filter, chain.Input, func(c *backend.ChainEdit) { c.Insert(2, rule.Accept(match.Dport(nf.TCP, 22))) })
	now := lines(t, fw, table.Filter, chain.Input)
	c, _ = tableOf(t, fw, table.Filter).Chain(chain.Input)
	if now[2].Counters() != in[1].Counters() || c.Counters().Packets != dropped || now[1].Counters().Packets != 0 {
		t.Errorf("after the edit the rules count %v, the policy %v", counts(now), c.Counters())
	}
}

// serve is an echo server until the test ends.
func serve(t testing.TB, h *lab.Host, network string, at netip.AddrPort) *lab.Server {
	t.Helper()
	s, err := h.Echo(network, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
