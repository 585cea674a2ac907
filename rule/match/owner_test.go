package match_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestOwnerInGo(t *testing.T) {
	wants(t, "-m owner --uid-owner 0", match.Owner{UID: match.Is(match.ID(0))})
	wants(t, "-m owner ! --socket-exists --gid-owner 5-7 --suppl-groups",
		match.Owner{Socket: match.Not(true), GID: match.Is(match.IDRange{First: 5, Last: 7}), SupplGroups: true})
	refuses(t, "at least one", match.Owner{})
	refuses(t, "Is(true)", match.Owner{Socket: match.Is(false)})
	refuses(t, "--gid-owner first", match.Owner{UID: match.Is(match.ID(1)), SupplGroups: true})
	refuses(t, "backward", match.Owner{UID: match.Not(match.IDRange{First: 2, Last: 1})})
	refuses(t, "no number", match.Owner{GID: match.Is(match.ID(1<<32 - 1))})
}

func TestLinkLayerInGo(t *testing.T) {
	wants(t, "-m mac --mac-source 00:11:22:33:44:55", match.MACSource(net.HardwareAddr{0, 0x11, 0x22, 0x33, 0x44, 0x55}))
	bad, _ := net.ParseMAC("nonsense")
	refuses(t, "0 bytes", match.MACSource(bad))
	refuses(t, "8 bytes", match.MACSource(make(net.HardwareAddr, 8)))
	refuses(t, "must be specified", match.MAC{})
	wants(t, "-m pkttype ! --pkt-type otherhost", match.PktType{Type: match.Not(match.ToOther)})
	refuses(t, "not given", match.PktType{Type: match.Not(match.PacketType(0))})
	refuses(t, "not given", match.PktType{Type: match.Is(match.PacketType(5))})
	refuses(t, "must be specified", match.PktType{})
}

func TestAddressesInGo(t *testing.T) {
	v4 := nf.AddrRange(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.9"))
	v6 := nf.Addr(netip.MustParseAddr("2001:db8::1"))
	wants(t, "-m iprange ! --dst-range 10.0.0.1-10.0.0.9", match.IPRange{Dst: match.Not(v4)})
	if f := rule.Accept(match.IPRange{Src: match.Is(v6)}).Family(); f != nf.IPv6 {
		t.Errorf("the rule is for %v", f)
	}
	refuses(t, "you must specify", match.IPRange{})
	refuses(t, "exclude each other", match.IPRange{Src: match.Is(v4), Dst: match.Is(v6)})
	refuses(t, "not given", match.IPRange{Src: match.Is(nf.Addrs{})})

	wants(t, "-m addrtype --dst-type LOCAL", match.DstLocal())
	refuses(t, "you must specify", match.AddrType{})
	refuses(t, "no address type", match.AddrType{Src: match.Not(match.AddrKind(0))})
	refuses(t, "no address type", match.AddrType{Src: match.Is(match.AddrKind(1 << 12))})
	if f := rule.Accept(match.DstLocal()).Family(); f != nf.Both {
		t.Errorf("LOCAL is for %v", f)
	}
	if f := rule.Accept(match.AddrType{Dst: match.Is(match.Broadcast)}).Family(); f != nf.IPv4 {
		t.Errorf("BROADCAST is for %v", f)
	}
}

func TestStatisticInGo(t *testing.T) {
	wants(t, "-m statistic --mode random --probability 0.33333333349", match.Random(1.0/3))
	wants(t, "-m statistic --mode random ! --probability 1.00000000000", match.Random(1).Not())
	wants(t, "-m statistic --mode nth --every 3 --packet 2", match.Nth(3, 2))
	refuses(t, "not above 0", match.Random(0))
	refuses(t, "too small", match.Random(1e-12))
	refuses(t, "not above 0", match.Random(1.5))
	refuses(t, "0 <= p", match.Nth(3, 3))
	refuses(t, "0 <= p", match.Nth(0, 0))
	refuses(t, "--mode", match.Statistic{})

	// What a literal becomes is what the kernel's text says, so that a plan made
	// of either is the same.
	r, err := rule.Parse("-m statistic --mode random --probability 0.33333333349", nf.Both)
	if err != nil || !r.Equal(rule.Count(match.Random(1.0/3))) {
		t.Errorf("%v is not %v: %v", r, rule.Count(match.Random(1.0/3)), err)
	}
}
