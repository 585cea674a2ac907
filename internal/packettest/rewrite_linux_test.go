package packettest

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gopacket/gopacket/layers"
)

// What a rewritten packet looks like when it leaves, checksums included: in our
// own tables, natively, and in iptables' own as the kernel's targets.
func TestRewriting(t *testing.T) {
	t.Parallel()
	four, six := sides(t, nf.IPv4), sides(t, nf.IPv6)
	asIptables4, asIptables6 := plain(t, nf.IPv4), plain(t, nf.IPv6)
	for _, g := range []struct {
		name   string
		family nf.Family
		sides  []*side
		trials []named
	}{
		{"IPv4", nf.IPv4, append(four, asIptables4[1]), rewritings4()},
		{"IPv4 as iptables", nf.IPv4, asIptables4, calculations4()},
		{"IPv6", nf.IPv6, append(six, asIptables6[1]), rewritings6()},
		{"IPv6 as iptables", nf.IPv6, asIptables6, calculations6()},
	} {
		for _, n := range g.trials {
			t.Run(g.name+", "+n.name, func(t *testing.T) {
				n.family = g.family
				n.forwarded = true
				n.through(t, g.sides)
			})
		}
	}
}

// option is one TCP option.
func tcpOption(kind uint8, data ...byte) layers.TCPOption {
	return layers.TCPOption{OptionType: layers.TCPOptionKind(kind), OptionLength: uint8(2 + len(data)), OptionData: data}
}

// tcpOptions are headers with options in several orders, and at odd and even
// places; each option once, for which see TestStrippedTwice.
func tcpOptions() (all [][]layers.TCPOption) {
	nop := layers.TCPOption{OptionType: 1}
	end := layers.TCPOption{OptionType: 0}
	mss, scale, permitted := tcpOption(2, 5, 180), tcpOption(3, 7), tcpOption(4)
	sack, stamp, md5 := tcpOption(5, 1, 2, 3, 4, 5, 6, 7, 8), tcpOption(8, 1, 2, 3, 4, 5, 6, 7, 8), tcpOption(19, make([]byte, 16)...)
	return [][]layers.TCPOption{
		{}, {mss}, {mss, nop, scale, permitted, stamp}, {nop, nop, stamp}, {nop, nop, sack}, {md5, nop, nop},
		{nop, mss, nop, stamp, scale}, {tcpOption(254, 9, 9), mss}, {mss, end, stamp, nop}, {end, mss, nop, nop, nop},
	}
}

// passing4 are packets to the far side of every kind that a target may change.
func passing4() (all []packet) {
	add := func(ps ...packet) { all = append(all, ps...) }
	for _, tos := range []uint8{0, 1, 2, 3, 0x10, 0x28, 0xb8, 0xfc, 0xff} {
		set := func(ip *layers.IPv4) { ip.TOS = tos; ip.DstIP = mustIP(farIPv4) }
		add(v4(fmt.Sprintf("TCP with TOS %#x", tos), layers.IPProtocolTCP, set, tcp(40000, 80, "S")),
			v4(fmt.Sprintf("UDP with TOS %#x", tos), layers.IPProtocolUDP, set, udp(1000, 53), raw(1, 2, 3)),
			v4(fmt.Sprintf("ICMP with TOS %#x", tos), layers.IPProtocolICMPv4, set, icmp(8, 0), raw(1)))
	}
	for _, ttl := range []uint8{2, 3, 63, 64, 128, 254, 255} {
		add(v4(fmt.Sprintf("TTL %d", ttl), layers.IPProtocolUDP, func(ip *layers.IPv4) { ip.TTL = ttl; ip.DstIP = mustIP(farIPv4) }, udp(1000, 53)))
	}
	for _, flags := range []string{"S", "SEC", "SE", "SC", "A", "AE", "AC", "AEC", "FEC"} {
		add(v4("TCP "+flags, layers.IPProtocolTCP, to(farIPv4), tcp(40000, 81, flags), raw(1, 2, 3)))
	}
	for i, opts := range tcpOptions() {
		add(v4(fmt.Sprintf("TCP options %d", i), layers.IPProtocolTCP, to(farIPv4), tcp(40000, 82, "S", opts...)))
	}
	for _, p := range ipv4Headers() {
		if strings.Contains(p.name, "far side") {
			add(p)
		}
	}
	for _, p := range ipv4Fragments() {
		if strings.Contains(p.name, farIPv4) {
			add(p)
		}
	}
	return all
}

func passing6() (all []packet) {
	add := func(ps ...packet) { all = append(all, ps...) }
	for _, class := range []uint8{0, 1, 2, 3, 0x10, 0x28, 0xb8, 0xff} {
		set := func(ip *layers.IPv6) { ip.TrafficClass = class; ip.DstIP = mustIP(farIPv6); ip.FlowLabel = 0xabcde }
		add(v6(fmt.Sprintf("TCP with class %#x", class), layers.IPProtocolTCP, set, tcp(40000, 80, "S")),
			v6(fmt.Sprintf("UDP with class %#x", class), layers.IPProtocolUDP, set, udp(1000, 53), raw(1, 2, 3)))
	}
	for _, n := range []uint8{2, 3, 63, 64, 254, 255} {
		add(v6(fmt.Sprintf("hop limit %d", n), layers.IPProtocolUDP, func(ip *layers.IPv6) { ip.HopLimit = n; ip.DstIP = mustIP(farIPv6) }, udp(1000, 53)))
	}
	for i, opts := range tcpOptions() {
		add(v6(fmt.Sprintf("TCP options %d", i), layers.IPProtocolTCP, to6(farIPv6), tcp(40000, 82, "S", opts...)))
	}
	syn := transport6(tcp(40000, 22, "S", tcpOption(2, 5, 180)))
	return append(all, v6("TCP behind destination options", layers.IPProtocolIPv6Destination, to6(farIPv6), options6(layers.IPProtocolTCP, syn)))
}

// changes are the targets that both families have, a trial for each.
func changes(frames []packet) (trials []named) {
	// One for TCP, one for UDP, one for the rest, so that a few trials are many.
	for _, x := range [][3]string{
		{"DSCP --set-dscp 0", "DSCP --set-dscp 63", "DSCP --set-dscp-class EF"},
		{"TOS --set-tos 0", "TOS --set-tos 0xff", "TOS --set-tos 0x12"},
		{"TOS --set-tos 0x10/0x3f", "TOS --set-tos 0x1/0x2", "TOS --set-tos Minimize-Cost"},
		{"TOS --and-tos 0x5a", "TOS --or-tos 0xa5", "TOS --xor-tos 0xff"},
		{"TOS --set-tos 0/0", "TOS --set-tos 0xb8/0xfc", "TOS --set-tos 2/3"},
	} {
		trials = append(trials, named{strings.Join(x[:], ", "), trial{frames: frames, rules: []string{
			"-t mangle -A PREROUTING -p tcp -j " + x[0], "-t mangle -A PREROUTING -p udp -j " + x[1],
			"-t mangle -A PREROUTING -p tcp -j ACCEPT", "-t mangle -A PREROUTING ! -p udp -j " + x[2], "-t mangle -A PREROUTING"}}})
	}
	for _, options := range []string{"mss", "timestamp,200", "wscale,sack-permitted,md5", "2,3,4,5,8,19,254"} {
		trials = append(trials, named{"TCPOPTSTRIP " + options, trial{frames: frames, rules: []string{
			"-t mangle -A FORWARD -p tcp -j TCPOPTSTRIP --strip-options " + options, "-t mangle -A POSTROUTING"}}})
	}
	return append(trials, named{"one change after the other", trial{frames: frames, rules: []string{
		"-t mangle -A PREROUTING -j TOS --set-tos 0x55", "-t mangle -A PREROUTING -p udp -j DSCP --set-dscp 1", "-t mangle -A POSTROUTING -j TOS --xor-tos 0x0f"}}})
}

func rewritings4() []named {
	frames := passing4()
	trials := changes(frames)
	for _, x := range [][2]string{
		{"ECN --ecn-ip-ect 0", "ECN --ecn-ip-ect 1"}, {"ECN --ecn-ip-ect 2", "ECN --ecn-ip-ect 3"}, {"TTL --ttl-set 0", "TTL --ttl-set 255"},
	} {
		trials = append(trials, named{x[0] + ", " + x[1], trial{frames: frames, rules: eitherOf(x)}})
	}
	return append(trials, named{"TTL on the way in", trial{frames: frames, rules: []string{"-t mangle -A PREROUTING -j TTL --ttl-set 10", "-A FORWARD"}}})
}

func rewritings6() []named {
	frames := passing6()
	trials := changes(frames)
	return append(trials, named{"HL", trial{frames: frames, rules: eitherOf([2]string{"HL --hl-set 0", "HL --hl-set 255"})}})
}

// eitherOf does one thing to TCP, another to the rest.
func eitherOf(x [2]string) []string {
	return []string{"-t mangle -A POSTROUTING -p tcp -j " + x[0], "-t mangle -A POSTROUTING ! -p tcp -j " + x[1], "-t mangle -A POSTROUTING"}
}

// calculations4 are what the kernel has in iptables' own tables alone.
func calculations4() (trials []named) {
	frames := passing4()
	for _, x := range [][2]string{{"TTL --ttl-dec 60", "TTL --ttl-inc 1"}, {"TTL --ttl-inc 255", "TTL --ttl-dec 1"}, {"TTL --ttl-inc 200", "TTL --ttl-dec 255"}} {
		trials = append(trials, named{x[0] + ", " + x[1], trial{frames: frames, rules: eitherOf(x)}})
	}
	for _, target := range []string{
		"ECN --ecn-tcp-remove", "ECN --ecn-tcp-ece 1", "ECN --ecn-tcp-cwr 1", "ECN --ecn-tcp-ece 0", "ECN --ecn-tcp-cwr 0 --ecn-tcp-ece 1",
		"ECN --ecn-tcp-remove --ecn-ip-ect 3", "ECN --ecn-tcp-ece 1 --ecn-tcp-cwr 1 --ecn-ip-ect 1",
	} {
		trials = append(trials, named{target, trial{frames: frames, rules: []string{"-t mangle -A POSTROUTING -p tcp -j " + target, "-t mangle -A POSTROUTING"}}})
	}
	return trials
}

func calculations6() (trials []named) {
	frames := passing6()
	for _, x := range [][2]string{{"HL --hl-dec 60", "HL --hl-inc 1"}, {"HL --hl-inc 255", "HL --hl-dec 1"}, {"HL --hl-inc 200", "HL --hl-dec 255"}} {
		trials = append(trials, named{x[0] + ", " + x[1], trial{frames: frames, rules: eitherOf(x)}})
	}
	return trials
}

// An option that stands twice in a header, and one that claims to be longer than
// what is left of it: nf_tables strips the first, and drops the packet; the kernel's
// target strips both, and leaves it alone. This is on purpose: see
// target.TCPOptStrip.
func TestStrippedTwice(t *testing.T) {
	t.Parallel()
	mss, stamp := tcpOption(2, 5, 180), tcpOption(8, 1, 2, 3, 4, 5, 6, 7, 8)
	for _, tc := range []struct {
		options            []layers.TCPOption
		claims             byte   // the length of the second option; 0: its own
		native, asIptables string // what is left; "": dropped
	}{
		{[]layers.TCPOption{mss, stamp, stamp, mss}, 0, "020405b401010101010101010101080a0102030405060708020405b4", "020405b40101010101010101010101010101010101010101020405b4"},
		{[]layers.TCPOption{mss, tcpOption(8, 1, 2)}, 40, "", "020405b408280102"},
	} {
		frame := v4("stripped", layers.IPProtocolTCP, to(farIPv4), tcp(40000, 80, "S", tc.options...))
		if tc.claims != 0 {
			frame.frame[54+4+1] = tc.claims
		}
		for s, want := range map[*side]string{
			legacy(t, nf.IPv4): tc.asIptables, ours(t, "ours as iptables", backend.Iptables, nf.IPv4, nf.IPv4): tc.asIptables,
			ours(t, "ours", "packettest", nf.IPv4, nf.IPv4): tc.native,
		} {
			var wait [][]byte
			if want != "" {
				wait = make([][]byte, 1)
			}
			got := trial{rules: []string{"-t mangle -A FORWARD -p tcp -j TCPOPTSTRIP --strip-options 8"}, forwarded: true}.on(t, s, []packet{frame}, result{forwarded: wait})
			left := ""
			if len(got.forwarded) == 1 {
				left = hex.EncodeToString(got.forwarded[0][54:])
			}
			if left != want {
				t.Errorf("%s: of %v is left %s, want %s", s.name, tc.options, left, want)
			}
		}
	}
}

// A packet of this host's own leaves for a virtual card without a checksum, which
// CHECKSUM fills in.
func TestChecksumIsFilled(t *testing.T) {
	t.Parallel()
	for _, s := range []*side{legacy(t, nf.IPv4), ours(t, "ours as iptables", backend.Iptables, nf.IPv4, nf.IPv4)} {
		for rules, want := range map[string]bool{
			"-t mangle -A POSTROUTING -p udp --dport 9 -j CHECKSUM --checksum-fill": true,
			"-t mangle -A POSTROUTING -p udp --dport 9":                             false,
		} {
			s.must(s.load(saveText([]string{rules})))
			through := s.capture(s.far, "eth0")
			s.connects(s.host, "udp", at(farIPv4, 9), lab.Closed)
			frames := s.collect(through, 1)
			through.Close()
			if len(frames) == 0 {
				t.Fatalf("%s: nothing came", s.name)
			}
			if got := udpSummed(frames[0]); got != want {
				t.Errorf("%s: %s: the checksum is right: %t, want %t", s.name, rules, got, want)
			}
		}
	}
}

// udpSummed says whether the UDP checksum of an IPv4 frame without options is right.
func udpSummed(f []byte) bool {
	datagram := f[34 : 14+int(f[16])<<8+int(f[17])]
	pseudo := append(append([]byte{}, f[26:34]...), 0, f[23], 0, byte(len(datagram)))
	if len(datagram)%2 == 1 {
		datagram = append(append([]byte{}, datagram...), 0)
	}
	return summed(append(pseudo, datagram...)) == 0xffff
}

// Networks are mapped onto networks, in either direction, and back in the answers.
func TestNetworksAreMapped(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv4), ours(t, "ours as iptables", backend.Iptables, nf.IPv4, nf.IPv4))
	in := []packet{
		v4("to one that is mapped", layers.IPProtocolUDP, to("198.51.100.2"), udp(2000, 53)), v4("TCP to it", layers.IPProtocolTCP, to("198.51.100.2"), tcp(41000, 80, "S")),
		v4("to another", layers.IPProtocolUDP, to("198.51.100.3"), udp(2001, 53)), v4("to none", layers.IPProtocolUDP, to(farIPv4), udp(2002, 53)), ping(3),
	}
	out := []packet{
		toFar(40000, 80), toFarUDP(1000, 53), v4("ping through", layers.IPProtocolICMPv4, to(farIPv4), icmp(8, 0), raw(1, 2, 3)),
		v4("from another", layers.IPProtocolUDP, func(ip *layers.IPv4) { to(farIPv4)(ip); from(otherIPv4)(ip) }, udp(1001, 53)),
	}
	for _, n := range []named{
		{"destinations", trial{frames: in, rules: append([]string{"-t nat -A PREROUTING -d 198.51.100.0/28 -j NETMAP --to 10.9.0.0/28", "-t nat -A PREROUTING"}, natted...)}},
		{"one destination", trial{frames: in, rules: append([]string{"-t nat -A PREROUTING -d 198.51.100.0/28 -j NETMAP --to 10.9.0.2"}, natted...)}},
		{"sources", trial{frames: out, rules: append([]string{"-t nat -A POSTROUTING -o eth1 -j NETMAP --to 10.9.0.32/27", "-t nat -A POSTROUTING"}, natted...)}},
		{"sources on the way in", trial{frames: append(in[4:5:5], datagram(9), syn(22)), rules: append([]string{"-t nat -A INPUT -j NETMAP --to 192.168.1.64/28", "-t nat -A INPUT"}, natted...)}},
		{"this host's own", trial{rules: append([]string{"-t nat -A OUTPUT -d 198.51.100.0/24 -j NETMAP --to 10.9.0.0/24", "-A OUTPUT -d " + farIPv4}, natted...), do: func(w *world) {
			w.connects(w.host, "tcp", at("198.51.100.2", 9), lab.Closed)
		}}},
	} {
		t.Run(n.name, func(t *testing.T) {
			n.family, n.answers, n.forwarded = nf.IPv4, n.do == nil, n.do == nil
			n.through(t, all)
		})
	}
	t.Run("in a user chain of iptables' own", func(t *testing.T) {
		trial{frames: append(in, out...), answers: true, forwarded: true, rules: append([]string{
			"-t nat -A PREROUTING -d 198.51.100.0/28 -j MAPPED", "-t nat -A POSTROUTING -o eth1 -s 192.168.1.0/24 -d " + farIPv4 + " -j MAPPED", "-t nat -A MAPPED -j NETMAP --to 10.9.0.0/28",
		}, natted...)}.through(t, []*side{all[0], all[3]})
	})
}

func TestNetworksAreMapped6(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv6), ours(t, "ours as iptables", backend.Iptables, nf.IPv6, nf.IPv6))
	frames := []packet{
		v6("to one that is mapped", layers.IPProtocolUDP, to6("2001:db8:5::2"), udp(1000, 53)),
		v6("TCP through", layers.IPProtocolTCP, to6(farIPv6), tcp(40000, 80, "S")), v6("to this host", layers.IPProtocolUDP, nil, udp(1000, 9)),
	}
	trial{frames: frames, family: nf.IPv6, answers: true, forwarded: true, rules: []string{
		"-t nat -A PREROUTING -d 2001:db8:5::/64 -j NETMAP --to fd00:9::/64", "-t nat -A POSTROUTING -p tcp -j NETMAP --to fd00:9:0:0:1::/80",
		"-A FORWARD -m conntrack --ctstate DNAT", "-A FORWARD -d " + farIPv6, "-A FORWARD -m conntrack --ctstate SNAT", "-t mangle -A POSTROUTING -s " + labtest.PeerIPv6}}.through(t, all)
}
