package clienttest

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// ask sends a datagram to port 7 of the host's IPv4 and IPv6 address.
func ask(t *testing.T, peer *lab.Host) {
	t.Helper()
	for _, a := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		if reply, err := peer.Ask(t.Context(), "udp", netip.AddrPortFrom(netip.MustParseAddr(a), 7), "x"); err != nil || reply != "x" {
			t.Fatalf("%s: %q, %v", a, reply, err)
		}
	}
}

// TestPacketsMeetSets: for each kind of key, packets whose fields are in the set meet
// the rule, for both families, and those whose are not do not.
func TestPacketsMeetSets(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	for _, a := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		serve(t, host, "udp", netip.AddrPortFrom(netip.MustParseAddr(a), 7))
	}
	v4, v6 := netip.MustParseAddr(labtest.PeerIPv4), netip.MustParseAddr(labtest.PeerIPv6)
	near := func(a netip.Addr) netip.Prefix { p, _ := a.Prefix(a.BitLen() - 8); return p }
	me4, me6 := netip.MustParseAddr(labtest.HostIPv4), netip.MustParseAddr(labtest.HostIPv6)
	type kind struct {
		key     set.Key
		by      []match.Field
		in, out []set.Element
	}
	join := set.Join
	port, udp, eth, mark := set.Port(7), set.Proto(nf.UDP), set.Iface("eth0"), set.Mark(5)
	var sets []set.Set
	var rules []rule.Rule
	tab := table.New(table.Filter)
	for i, k := range []kind{
		{set.Addrs, []match.Field{match.SrcAddr}, []set.Element{set.Net(v4), set.Net(v6)}, []set.Element{set.Net(me4), set.Net(me6)}},
		{set.Nets, []match.Field{match.SrcAddr}, []set.Element{set.Net(near(v4)), set.Net(near(v6))}, []set.Element{set.Net(netip.MustParsePrefix("10.0.0.0/8"))}},
		{set.Nets, []match.Field{match.DstAddr}, []set.Element{set.Range(me4.Prev(), me4), set.Range(me6, me6.Next())}, []set.Element{set.Range(me4.Next(), v4), set.Range(me6.Next(), v6)}},
		{set.Ports, []match.Field{match.DstPort}, []set.Element{port}, []set.Element{set.Port(8), set.Port(0x700)}},
		{set.Protos, []match.Field{match.L4Proto}, []set.Element{udp}, []set.Element{set.Proto(nf.TCP)}},
		{set.Ifaces, []match.Field{match.InIface}, []set.Element{eth}, []set.Element{set.Iface("eth"), set.Iface("eth01")}},
		{set.Marks, []match.Field{match.PacketMark}, []set.Element{mark}, []set.Element{set.Mark(0x5000000), set.Mark(4)}},
		{set.Tuple(set.Addrs, set.Protos, set.Ports), []match.Field{match.SrcAddr, match.L4Proto, match.DstPort},
			[]set.Element{join(set.Net(v4), udp, port), join(set.Net(v6), udp, port)}, []set.Element{join(set.Net(v4), udp, set.Port(9)), join(set.Net(v6), set.Proto(nf.TCP), port)}},
		{set.Tuple(set.Nets, set.Marks, set.Ifaces), []match.Field{match.SrcAddr, match.PacketMark, match.InIface},
			[]set.Element{join(set.Net(near(v4)), mark, eth), join(set.Net(near(v6)), mark, eth)}, []set.Element{join(set.Net(near(v4)), set.Mark(0x5000000), eth), join(set.Net(near(v6)), mark, set.Iface("lo"))}},
		{set.Tuple(set.Ifaces, set.Marks), []match.Field{match.InIface, match.PacketMark}, []set.Element{join(eth, mark)}, []set.Element{join(eth, set.Mark(6))}},
		{set.Tuple(set.Ports, set.Nets), []match.Field{match.DstPort, match.SrcAddr},
			[]set.Element{join(port, set.Net(near(v4))), join(port, set.Net(near(v6)))}, []set.Element{join(set.Port(8), set.Net(near(v4)))}},
	} {
		in := set.Set{Name: "in" + itoa(uint64(i)), Key: k.key, Counters: true}
		out := set.Set{Name: "out" + itoa(uint64(i)), Key: k.key}
		sets = append(sets, in)
		tab = tab.WithSet(in, k.in...).WithSet(out, k.out...)
		for _, m := range []match.Own{in.Contains(k.by...), in.Lacks(k.by...), out.Contains(k.by...), out.Lacks(k.by...)} {
			ms := []match.Match{match.Proto(nf.UDP), m}
			rules = append(rules, rule.Count(ms...))
		}
	}
	w := kernel(t, host)
	fw := w.client(t)
	w.apply(t, fw, table.NewRuleset(
		table.New(table.Mangle, chain.BuiltIn(chain.Prerouting, chain.Accept, rule.New(target.SetMark(nf.Mark(5))))),
		tab.WithChain(chain.BuiltIn(chain.Input, chain.Accept, rules...)),
	))
	ask(t, peer)
	got := lines(t, fw, table.Filter, chain.Input)
	for i, s := range sets {
		for j, want := range []uint64{2, 0, 0, 2} {
			if r := got[4*i+j]; r.Counters().Packets != want {
				t.Errorf("%v (%v) counted %d packets, want %d", r, s.Key, r.Counters().Packets, want)
			}
		}
		n := uint64(0)
		for e, err := range fw.Elements(t.Context(), table.Filter, s) {
			if err != nil {
				t.Fatal(err)
			}
			n += e.Counters().Packets
		}
		if want := uint64(2); n != want {
			t.Errorf("the elements of %v counted %d packets, want %d", s.Key, n, want)
		}
	}
}

// TestBansExpire: the kernel lifts a ban by itself, and what was refreshed stays; a
// merged neighbour that is lifted leaves the rest.
func TestBansExpire(t *testing.T) {
	host := labtest.Host(t)
	w := kernel(t, host)
	w.reload = func(testing.TB) {}
	fw := w.client(t)
	rs := table.NewRuleset(banRules().WithSets(bans, trusted))
	w.apply(t, fw, rs)
	short := prefix("10.0.0.0/8").For(time.Second)
	editSet(t, fw, bans, func(s *backend.SetEdit) { s.Add(short, prefix("192.0.2.0/24").For(time.Second), prefix("::/0").For(0)) })
	editSet(t, fw, bans, func(s *backend.SetEdit) { s.Add(prefix("192.0.2.0/24").For(time.Minute)) })
	time.Sleep(1200 * time.Millisecond)
	if got := elements(t, fw, table.Filter, bans); got != "192.0.2.0/24 ::/0" {
		t.Errorf("in force: %s", got)
	}
	editSet(t, fw, bans, func(s *backend.SetEdit) {
		if n := s.Remove(short); n != 0 {
			t.Error("a ban that has expired was lifted")
		}
	})
	w.holds(t, fw, rs)
}

// TestAnotherHandAtASet: what nft adds to our set is found, and our set in nft's
// listing loads again.
func TestAnotherHandAtASet(t *testing.T) {
	host := labtest.Host(t)
	w := kernel(t, host)
	fw := w.client(t)
	rs := table.NewRuleset(banRules().WithSets(bans).WithSet(trusted, prefix("10.0.0.0/8"), prefix("2001:db8::/32").Comment("office")))
	w.apply(t, fw, rs)
	tool := oracle.Nft(t, host)
	tool.MustLoad("add element ip client-filter trusted { 172.16.0.0/12 comment \"by hand\" }\n")
	p, err := fw.Plan(t.Context(), rs)
	if err != nil || p.String() != "- filter set trusted: 172.16.0.0/12\n" {
		t.Errorf("%v, %v", p, err)
	}
	if err := fw.Apply(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	list := tool.List()
	for _, want := range []string{"elements = { 10.0.0.0/8 }", `2001:db8::/32 comment "office"`, "timeout 10m", "ip saddr @trusted", "ip6 saddr @bans"} {
		if !strings.Contains(list, want) {
			t.Errorf("nft does not list %q:\n%s", want, list)
		}
	}
	tool.Flush()
	tool.MustLoad(list)
	if p, err := fw.Plan(t.Context(), rs); err != nil || p.String() != "" {
		t.Errorf("%v, %v", p, err)
	}
	w.apply(t, fw, rs) // nft lists no counters of policies

	// A set that somebody else has made is his.
	tool.MustLoad("add set ip client-filter mine { type ipv4_addr; }\nadd set ip6 client-filter mine { type ipv6_addr; }\n")
	w.holds(t, fw, rs)
	if err := fw.Apply(t.Context(), table.NewRuleset(banRules().WithSets(bans, trusted, set.Set{Name: "mine", Key: set.Addrs}))); err == nil {
		t.Error("somebody else's set was taken over")
	}
	if got := slices.Collect(func(yield func(string) bool) {
		for s := range mustTable(t, fw).Sets() {
			if !yield(s.Name) {
				return
			}
		}
	}); !slices.Equal(got, []string{"bans", "trusted"}) {
		t.Error(got)
	}
}

func mustTable(t testing.TB, fw *backend.Firewall) table.Table {
	t.Helper()
	tb, ok := read(t, fw).Table(table.Filter)
	if !ok {
		t.Fatal("no table")
	}
	return tb
}
