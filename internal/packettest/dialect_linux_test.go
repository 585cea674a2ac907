package packettest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gopacket/gopacket/layers"
)

// variant is iptables-nft as a side.
func variant(t testing.TB, f nf.Family) *side {
	t.Helper()
	s := &side{world: newWorld(t), name: "iptables-nft"}
	ipt := oracle.NFTVariant(t, s.host)
	if f == nf.IPv6 {
		ipt = ipt.V6()
	}
	s.load = func(text string) error {
		if r := ipt.Restore(text, "-c"); r.Exit != 0 {
			return fmt.Errorf("exit %d: %s", r.Exit, r.Stderr)
		}
		return nil
	}
	s.saved = func() string { return oracle.StripComments(ipt.Save("-c")) }
	return s
}

// later says whether a frame is a later fragment of an IPv4 packet.
func later(p packet) bool {
	return binary.BigEndian.Uint16(p.frame[12:]) == 0x0800 && binary.BigEndian.Uint16(p.frame[20:])&0x1fff != 0
}

// Iptables' own tables, which iptables-nft shares, hold its bytes; and those look
// for ports and flags in the middle of a packet. TestFragmentsAsIptables is about
// that: here the packets are whole or begin one.
func beginnings(frames []packet) []packet { return slices.DeleteFunc(slices.Clone(frames), later) }

// A later fragment whose bytes look like a header passes for one in the tables
// that are shared with iptables-nft, to its rules and to ours, while nothing
// tracks connections. Legacy and our own tables are not taken in, and neither is
// a match that is the kernel's own extension.
func TestFragmentsAsIptables(t *testing.T) {
	t.Parallel()
	bytes := transport(tcp(40000, 80, "S"))
	frames := []packet{v4("the middle of a packet, like TCP to port 80", layers.IPProtocolTCP, fragment(100, false), raw(bytes...))}
	rules := []string{
		"-t raw -A PREROUTING -p tcp --dport 80", "-t raw -A PREROUTING -p tcp --syn", "-t raw -A PREROUTING -p tcp -m multiport --dports 80",
		"-t raw -A PREROUTING -p tcp -m tcp", "-t raw -A PREROUTING -p tcp",
	}
	for s, taken := range map[*side]string{
		legacy(t, nf.IPv4): "0",
		ours(t, "ours", "packettest", nf.IPv4, nf.IPv4):                 "0",
		variant(t, nf.IPv4):                                             "1",
		ours(t, "ours as iptables", backend.Iptables, nf.IPv4, nf.IPv4): "1",
	} {
		got := trial{rules: rules}.on(t, s, frames, result{})
		for i, want := range []string{taken, taken, "0", "0", "1"} {
			if n := find(t, got.counts, fmt.Sprintf(", rule %d", i+1)); !strings.HasPrefix(n, want+":") {
				t.Errorf("%s counts %s, want %s packet(s): %s", s.name, n, want, rules[i])
			}
		}
	}
}

// What no packet can meet, and two ports that are both inverted: iptables-nft
// forgets the one and widens the other, so that these few rules of ours are not
// its bytes in the tables that we share. They count what legacy's count.
func TestRulesThatIptablesNFTWidens(t *testing.T) {
	t.Parallel()
	frames := []packet{
		v4("SYN to 80", layers.IPProtocolTCP, nil, tcp(40000, 80, "S")), v4("SYN to 22", layers.IPProtocolTCP, nil, tcp(40000, 22, "S")),
		v4("SYN from 1 to 80", layers.IPProtocolTCP, nil, tcp(1, 80, "S")), v4("SYN from 1 to 22", layers.IPProtocolTCP, nil, tcp(1, 22, "S")),
		v4("UDP", layers.IPProtocolUDP, nil, udp(1, 53)), v4("UDP", layers.IPProtocolUDP, nil, udp(2, 54)), v4("UDP", layers.IPProtocolUDP, nil, udp(1, 54)),
	}
	rules := []struct{ args, exact, widened string }{
		{"-p tcp ! --dport 0:65535", "0", "4"},
		{"-p tcp --tcp-flags NONE SYN", "0", "4"},
		{"-p tcp ! --tcp-flags NONE NONE", "0", "4"},
		{"-p udp ! --sport 0:65535", "0", "3"},
		{"-p tcp ! --sport 1 ! --dport 22", "1", "3"},
		{"-p udp ! --sport 1 ! --dport 53", "1", "2"},
	}
	var lines []string
	for _, r := range rules {
		lines = append(lines, "-t raw -A PREROUTING "+r.args)
	}
	all := append(plain(t, nf.IPv4), ours(t, "ours", "packettest", nf.IPv4, nf.IPv4), variant(t, nf.IPv4))
	for _, s := range all {
		got := trial{rules: lines}.on(t, s, frames, result{})
		for i, r := range rules {
			want := r.exact
			if s.name == "iptables-nft" {
				want = r.widened
			}
			if n := find(t, got.counts, fmt.Sprintf(", rule %d", i+1)); !strings.HasPrefix(n, want+":") {
				t.Errorf("%s counts %s, want %s packets: %s", s.name, n, want, r.args)
			}
		}
	}
}
