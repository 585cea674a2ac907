package packettest

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gopacket/gopacket/layers"
	"github.com/vishvananda/netlink"
)

const protoIPComp = layers.IPProtocol(108)

// The matches that look into headers count what iptables-legacy's count, in our
// own tables and in iptables' own.
func TestHeadersIPv4(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv4), ours(t, "ours as iptables", backend.Iptables, nf.IPv4, nf.IPv4))
	for _, n := range []named{
		{"the index of AH, ESP and IPComp", trial{rules: everywhere(indexRules), frames: indices()}},
		{"the service field: dscp, tos, ecn", trial{rules: everywhere(serviceRules), frames: services()}},
		{"congestion bits of TCP", trial{rules: everywhere(congestionRules), frames: congested()}},
		{"DCCP: ports, types and options", trial{rules: everywhere(dccpRules), frames: dccps()}},
		{"SCTP: ports and chunks", trial{rules: everywhere(sctpRules), frames: sctps()}},
		{"the segment size that a SYN tells", trial{rules: everywhere(mssRules), frames: segments()}},
	} {
		t.Run(n.name, func(t *testing.T) { n.through(t, all) })
	}
	realms(t, all)
}

// be16 and be32 are numbers in network order.
func be16(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// join is bytes one after the other.
func join(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

var indexRules = func() (rules []string) {
	for _, o := range []string{"-p ah -m ah --ahspi ", "-p esp -m esp --espspi ", "-p ipcomp -m ipcomp --ipcompspi ",
		"-p ah -m ah ! --ahspi ", "-p esp -m esp ! --espspi ", "-p ipcomp -m ipcomp ! --ipcompspi "} {
		for _, n := range []string{"0", "5", "5:10", "10:", ":5", "65535", "65536", "4294967295", "65536:"} {
			rules = append(rules, o+n)
		}
	}
	return append(rules, "-p ah -m ah", "-p esp -m esp", "-p ipcomp -m ipcomp", "-p ipcomp -m ipcomp --ipcompspi 5 --compres")
}()

// indices are headers with an index, and later fragments that look like one.
func indices() (all []packet) {
	add := func(n uint32) {
		all = append(all,
			v4(fmt.Sprintf("AH %d", n), layers.IPProtocolAH, nil, raw(join([]byte{59, 1, 0, 0}, be32(n), be32(1))...)),
			v4(fmt.Sprintf("ESP %d", n), layers.IPProtocolESP, nil, raw(join(be32(n), be32(1))...)))
		if n <= 65535 {
			all = append(all, v4(fmt.Sprintf("IPComp %d", n), protoIPComp, nil, raw(join([]byte{6, 0}, be16(uint16(n)))...)),
				v4(fmt.Sprintf("IPComp %d with flags", n), protoIPComp, nil, raw(join([]byte{6, 9}, be16(uint16(n)), be32(1))...)))
		}
	}
	for _, n := range []uint32{0, 1, 4, 5, 6, 9, 10, 11, 0x500, 65535, 65536, 1<<32 - 1} {
		add(n)
	}
	for i, p := range []layers.IPProtocol{layers.IPProtocolAH, layers.IPProtocolESP, protoIPComp} {
		all = append(all, v4(fmt.Sprintf("later fragment of %v", p), p, func(ip *layers.IPv4) {
			fragment(50, false)(ip)
			ip.Id = uint16(500 + i)
		}, raw(join(be32(5), be32(5), be32(5))...)))
	}
	return all
}

var serviceRules = func() (rules []string) {
	for _, not := range []string{"", "! "} {
		for _, v := range []string{"0", "1", "0x2e", "0x3f", "0x20"} {
			rules = append(rules, "-m dscp "+not+"--dscp "+v)
		}
		for _, v := range []string{"0", "0x10", "0xff", "3", "0x10/0x3f", "0xb8/0xfc", "1/3", "0/0", "0x10/0x0f", "0x80/0x80", "0xb8/0xfe", "0x02/0x1e", "Minimize-Delay", "Normal-Service"} {
			rules = append(rules, "-m tos "+not+"--tos "+v)
		}
		for _, v := range []string{"0", "1", "2", "3"} {
			rules = append(rules, "-m ecn "+not+"--ecn-ip-ect "+v)
		}
	}
	return rules
}()

// services are every 5th value of the field, and every one of its last bits.
func services() (all []packet) {
	for tos := 0; tos < 256; tos += 5 {
		all = append(all, v4(fmt.Sprintf("TOS %#x", tos), layers.IPProtocolUDP, func(ip *layers.IPv4) { ip.TOS = uint8(tos) }, udp(1, 9)))
	}
	for _, tos := range []uint8{1, 2, 3, 0x10, 0x11, 0x50, 0xb8, 0xb9, 0xff, 0xfc, 0x80, 0x40} {
		all = append(all, v4(fmt.Sprintf("TOS %#x", tos), layers.IPProtocolUDP, func(ip *layers.IPv4) { ip.TOS = tos }, udp(1, 9)))
	}
	return all
}

var congestionRules = []string{
	"-p tcp -m ecn --ecn-tcp-cwr", "-p tcp -m ecn ! --ecn-tcp-cwr", "-p tcp -m ecn --ecn-tcp-ece", "-p tcp -m ecn ! --ecn-tcp-ece",
	"-p tcp -m ecn --ecn-tcp-ece --ecn-tcp-cwr", "-p tcp -m ecn ! --ecn-tcp-ece --ecn-tcp-cwr --ecn-ip-ect 2", "-p tcp -m ecn --ecn-tcp-cwr ! --ecn-ip-ect 0",
	"-p tcp -m ecn --ecn-ip-ect 3",
}

// congested are TCP segments with the bits, whole, as later fragments, and cut
// short.
func congested() (all []packet) {
	for _, flags := range []string{"S", "SE", "SC", "SEC", "A", "AE", "AC"} {
		for _, tos := range []uint8{0, 1, 2, 3, 0xfc} {
			all = append(all, v4(fmt.Sprintf("%s with TOS %#x", flags, tos), layers.IPProtocolTCP, func(ip *layers.IPv4) { ip.TOS = tos }, tcp(40000, 9, flags)))
		}
	}
	bytes := transport(tcp(40000, 80, "SC"))
	return append(all,
		v4("a later fragment with the bits", layers.IPProtocolTCP, fragment(100, false), raw(bytes...)),
		v4("a header that is cut short", layers.IPProtocolTCP, nil, raw(bytes[:16]...)))
}

var dccpRules = []string{
	"-p dccp -m dccp", "-p dccp --sport 5", "-p dccp -m dccp ! --sport 5", "-p dccp --dport 5:10", "-p dccp ! --dport 5:10", "-p dccp --dport :",
	"-p dccp -m dccp ! --sport 5 ! --dport 6", "-p dccp --dport 0", "-p dccp --sport 65535 --dport 65535", "-p dccp ! --dport 0:65535",
	"-p dccp --dccp-types REQUEST", "-p dccp ! --dccp-types REQUEST", "-p dccp --dccp-types DATA,SYNC,RESET", "-p dccp --dccp-types INVALID", "-p dccp ! --dccp-types INVALID,ACK",
	"-p dccp --dccp-option 2", "-p dccp ! --dccp-option 2", "-p dccp --dccp-option 44", "-p dccp ! --dccp-option 44 --dport 6 --dccp-types REQUEST",
}

// dccps are headers of every type, with ports, and with options.
func dccps() (all []packet) {
	// The header is 16 bytes with the long sequence number, a request has 4 more;
	// the fifth byte is its length in words.
	packetOf := func(sport, dport uint16, typ uint8, words uint8, options ...byte) packet {
		b := join(be16(sport), be16(dport), []byte{words, 0, 0, 0, typ<<1 | 1, 0, 0, 0}, be32(7), be32(0x64636370), be32(0), options)
		return v4(fmt.Sprintf("DCCP type %d from %d to %d with %x", typ, sport, dport, options), protoDCCP, nil, raw(b...))
	}
	for typ := range uint8(16) {
		all = append(all, packetOf(5, 6, typ, 6))
	}
	for _, p := range [][2]uint16{{5, 5}, {4, 6}, {0, 0}, {65535, 65535}, {6, 10}, {6, 11}} {
		all = append(all, packetOf(p[0], p[1], 0, 5))
	}
	return append(all,
		packetOf(1, 6, 0, 7, 2, 44, 3, 7, 0, 0, 0, 0), packetOf(1, 6, 0, 6, 44, 4, 1, 1), packetOf(1, 6, 0, 6, 1, 1, 1, 2), packetOf(1, 6, 0, 6, 0, 0, 0, 0),
		v4("a later fragment of DCCP", protoDCCP, fragment(60, false), raw(join(be16(5), be16(6), make([]byte, 16))...)))
}

var sctpRules = func() []string {
	rules := []string{
		"-p sctp -m sctp", "-p sctp --sport 5", "-p sctp ! --sport 5", "-p sctp --dport 5:10", "-p sctp ! --dport 5:10", "-p sctp --dport :", "-p sctp ! --sport 5 ! --dport 6",
		"-p sctp --dport 0", "-p sctp --sport 65535 --dport 65535", "-p sctp ! --dport 0:65535", "-p sctp --dport 6 --chunk-types any DATA",
	}
	for _, how := range []string{"any ", "all ", "only ", "! any ", "! all ", "! only "} {
		not, how := strings.Contains(how, "!"), strings.TrimPrefix(how, "! ")
		bang := map[bool]string{true: "! "}[not]
		for _, list := range []string{"DATA", "DATA,INIT", "ALL", "NONE", "DATA:Be", "DATA:U,SACK", "ABORT:T", "ABORT:t,SHUTDOWN_COMPLETE:T", "I_DATA", "PAD,ASCONF", "DATA:-"} {
			rules = append(rules, "-p sctp "+bang+"--chunk-types "+how+list)
		}
	}
	return rules
}()

// sctps are packets with chunks of some types and flags.
func sctps() (all []packet) {
	type chunk struct{ typ, flags uint8 }
	of := func(sport, dport uint16, chunks ...chunk) packet {
		b := join(be16(sport), be16(dport), be32(1), be32(0))
		for _, c := range chunks {
			b = append(b, c.typ, c.flags, 0, 8, 1, 2, 3, 4)
		}
		return v4(fmt.Sprintf("SCTP from %d to %d: %v", sport, dport, chunks), protoSCTP, nil, raw(b...))
	}
	for _, cs := range [][]chunk{
		{}, {{0, 0}}, {{0, 2}}, {{0, 3}}, {{0, 4}}, {{0, 6}}, {{0, 0x80}}, {{1, 0}}, {{0, 3}, {1, 0}}, {{3, 0}, {0, 4}}, {{3, 0}}, {{6, 0}}, {{6, 1}}, {{14, 0}}, {{14, 1}},
		{{6, 1}, {14, 1}}, {{64, 0}}, {{132, 0}, {193, 0}}, {{77, 0}}, {{0, 2}, {0, 3}}, {{255, 255}}, {{0, 0}, {77, 1}},
	} {
		all = append(all, of(5, 6, cs...))
	}
	for _, p := range [][2]uint16{{5, 5}, {4, 6}, {0, 0}, {65535, 65535}, {6, 10}, {6, 11}} {
		all = append(all, of(p[0], p[1], chunk{0, 3}))
	}
	return append(all, v4("a later fragment of SCTP", protoSCTP, fragment(60, false), raw(join(be16(5), be16(6), make([]byte, 16))...)))
}

var mssRules = []string{
	"-p tcp -m tcpmss --mss 1460", "-p tcp -m tcpmss ! --mss 1460", "-p tcp -m tcpmss --mss 500:1000", "-p tcp -m tcpmss ! --mss 500:1000", "-p tcp -m tcpmss --mss :",
	"-p tcp -m tcpmss ! --mss :", "-p tcp -m tcpmss --mss 0", "-p tcp -m tcpmss --mss 65535", "-p tcp --syn -m tcpmss --mss :536",
}

// segments are TCP headers with the option, without, behind others, with a wrong
// length, as a later fragment, and cut short.
func segments() (all []packet) {
	size := func(n uint16) layers.TCPOption {
		return layers.TCPOption{OptionType: 2, OptionLength: 4, OptionData: be16(n)}
	}
	nop := layers.TCPOption{OptionType: 1}
	for _, n := range []uint16{0, 1, 499, 500, 536, 1000, 1001, 1460, 65535} {
		all = append(all, v4(fmt.Sprintf("MSS %d", n), layers.IPProtocolTCP, nil, tcp(40000, 9, "S", size(n))),
			v4(fmt.Sprintf("NOP, NOP, MSS %d in an ACK", n), layers.IPProtocolTCP, nil, tcp(40000, 9, "A", nop, nop, size(n))))
	}
	bytes := transport(tcp(40000, 80, "S", size(1460)))
	return append(all,
		v4("no option", layers.IPProtocolTCP, nil, tcp(40000, 9, "S")),
		v4("other options", layers.IPProtocolTCP, nil, tcp(40000, 9, "S", layers.TCPOption{OptionType: 3, OptionLength: 3, OptionData: []byte{7}}, nop)),
		v4("MSS of 3 bytes", layers.IPProtocolTCP, nil, tcp(40000, 9, "S", layers.TCPOption{OptionType: 2, OptionLength: 3, OptionData: []byte{5}}, nop)),
		v4("a later fragment with an option", layers.IPProtocolTCP, fragment(100, false), raw(bytes...)),
		v4("a header that is cut short", layers.IPProtocolTCP, nil, raw(bytes[:16]...)),
		v4("an option that is cut short", layers.IPProtocolTCP, nil, raw(bytes[:22]...)))
}

// realms compares packets by the realm of the route that they take.
func realms(t *testing.T, all []*side) {
	for _, s := range all {
		s.t = t
		s.must(s.host.Do(func() error {
			for realm, to := range map[int]string{10: "203.0.113.0/25", 0x1234: "203.0.113.128/25"} {
				_, dst, err := net.ParseCIDR(to)
				if err != nil {
					return err
				}
				if err := netlink.RouteAdd(&netlink.Route{Dst: dst, Gw: net.ParseIP(farIPv4), Realm: realm}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	var rules []string
	for _, chain := range []string{"-A INPUT ", "-A FORWARD ", "-t mangle -A POSTROUTING "} {
		for _, v := range []string{"10", "cosmos", "0x1234", "0x34/0xff", "0/0", "10/0", "10/0xf", "0x1200/0xff00"} {
			rules = append(rules, chain+"-m realm --realm "+v, chain+"-m realm ! --realm "+v)
		}
	}
	trial{rules: rules, frames: []packet{
		v4("to realm 10", layers.IPProtocolUDP, to("203.0.113.1"), udp(1, 9)), v4("to realm 0x1234", layers.IPProtocolUDP, to("203.0.113.200"), udp(1, 9)),
		v4("to no realm", layers.IPProtocolUDP, to(farIPv4), udp(1, 9)), v4("to the host", layers.IPProtocolUDP, nil, udp(1, 9)),
	}}.run(t, "the realm of the route", all)
}

// run is through as a test of its own.
func (c trial) run(t *testing.T, name string, all []*side) {
	t.Helper()
	t.Run(name, func(t *testing.T) { c.through(t, all) })
}

var reverseRules = []string{
	"-m rpfilter", "-m rpfilter --invert", "-m rpfilter --loose", "-m rpfilter --loose --invert", "-m rpfilter --validmark", "-m rpfilter --validmark --invert",
	"-m rpfilter --loose --validmark", "-m rpfilter --loose --validmark --invert",
}

// reverse are the rules in raw and in mangle, where packets from one on the far
// side have got a mark by which their route may be another.
func reverse(far string, more ...string) []string {
	rules := []string{"-t mangle -A PREROUTING -s " + far + " -j MARK --set-mark 5"}
	for _, r := range append(append([]string{}, reverseRules...), more...) {
		rules = append(rules, "-t raw -A PREROUTING "+r, "-t mangle -A PREROUTING "+r)
	}
	return rules
}

// Whether the answer would leave by the interface that the packet came in
// through.
func TestReversePath(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv4), ours(t, "ours as iptables", backend.Iptables, nf.IPv4, nf.IPv4))
	for _, s := range all {
		// Packets with mark 5 have another table, where the far side is on this.
		s.must(s.host.Do(func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			_, dst, err := net.ParseCIDR("10.9.0.0/24")
			if err != nil {
				return err
			}
			if err := netlink.RouteAdd(&netlink.Route{Dst: dst, LinkIndex: link.Attrs().Index, Table: 100, Scope: netlink.SCOPE_LINK}); err != nil {
				return err
			}
			r := netlink.NewRule()
			r.Mark, r.Table = 5, 100
			return netlink.RuleAdd(r)
		}))
	}
	var frames []packet
	for _, a := range []string{labtest.PeerIPv4, "192.168.1.3", farIPv4, "10.9.0.3", "198.51.100.7", "203.0.113.1", labtest.HostIPv4, nearIPv4, "127.0.0.1", "255.255.255.255", "224.0.0.1"} {
		for _, b := range []string{labtest.HostIPv4, farIPv4, "255.255.255.255", "224.0.0.1", "239.1.2.3"} {
			frames = append(frames, v4("from "+a+" to "+b, layers.IPProtocolUDP, func(ip *layers.IPv4) { from(a)(ip); to(b)(ip) }, udp(1, 9)))
		}
	}
	frames = append(frames, v4("from nobody to the host", layers.IPProtocolUDP, from("0.0.0.0"), udp(1, 9)),
		v4("from nobody to everybody", layers.IPProtocolUDP, func(ip *layers.IPv4) { from("0.0.0.0")(ip); to("255.255.255.255")(ip) }, udp(68, 67)).between(labtest.PeerMAC, "ff:ff:ff:ff:ff:ff"),
		v4("from nobody to all on the link", layers.IPProtocolUDP, func(ip *layers.IPv4) { from("0.0.0.0")(ip); to("224.0.0.1")(ip) }, udp(1, 9)))
	trial{rules: reverse("10.9.0.3"), frames: frames}.run(t, "by the route", all)
	// Only the tables with iptables' names have it.
	trial{rules: reverse("10.9.0.3", "-m rpfilter --accept-local", "-m rpfilter --accept-local --invert --loose"), frames: frames}.run(t, "from the host itself", []*side{all[0], all[3]})

	// A sender that is a broadcast address passes with us, and goes no further: see
	// match.RPFilter.
	broadcast := []packet{v4("from the network's broadcast address", layers.IPProtocolUDP, from("192.168.1.255"), udp(1, 9))}
	for i, want := range []string{"0:", "1:", "1:", "0:"} {
		got := trial{rules: []string{"-t raw -A PREROUTING -m rpfilter", ""}}.on(t, all[i], broadcast, result{})
		if n := find(t, got.counts, "rpfilter"); !strings.HasPrefix(n, want) {
			t.Errorf("%s: rpfilter counts %s, want %s", all[i].name, n, want)
		}
		if n := find(t, got.counts, "INPUT, rule 1"); !strings.HasPrefix(n, "0:") {
			t.Errorf("%s: %s go in, want none", all[i].name, n)
		}
	}
}

// A header that is cut short is dropped on sight by the kernel's matches, and not
// matched by ours: see TestCutHeaders. Later rules see those packets, and a rule
// for the inversion does not match them either.
func TestCutHeadersOfOthers(t *testing.T) {
	t.Parallel()
	frames := []packet{
		v4("AH, 11 bytes", layers.IPProtocolAH, nil, raw(make([]byte, 11)...)), v4("ESP, 7 bytes", layers.IPProtocolESP, nil, raw(make([]byte, 7)...)),
		v4("IPComp, 3 bytes", protoIPComp, nil, raw(make([]byte, 3)...)), v4("DCCP, 11 bytes", protoDCCP, nil, raw(make([]byte, 11)...)),
		v4("SCTP, 11 bytes", protoSCTP, nil, raw(make([]byte, 11)...)),
	}
	looks := []string{"-p ah -m ah ", "-p ah -m ah ! --ahspi 5", "-p esp -m esp", "-p esp -m esp ! --espspi 5", "-p ipcomp -m ipcomp --ipcompspi 0", "-p ipcomp -m ipcomp ! --ipcompspi 5",
		"-p dccp -m dccp", "-p dccp ! --dport 5", "-p sctp -m sctp", "-p sctp ! --dport 5"}
	judge, us := legacy(t, nf.IPv4), ours(t, "ours", "packettest", nf.IPv4, nf.IPv4)
	for _, look := range looks {
		rules := []string{"-t raw -A PREROUTING " + look, "-t raw -A PREROUTING"}
		got := trial{rules: rules}.on(t, us, frames, result{})
		if n := find(t, got.counts, "rule 1"); !strings.HasPrefix(n, "0:") {
			t.Errorf("%s matches %s packets that are cut short, want none", look, n)
		}
		if n := find(t, got.counts, "rule 2"); !strings.HasPrefix(n, "5:") {
			t.Errorf("%s: %s packets go on, want all 5", look, n)
		}
		got = trial{rules: rules}.on(t, judge, frames, result{})
		if n := find(t, got.counts, "rule 2"); !strings.HasPrefix(n, "4:") {
			t.Errorf("%s: legacy lets %s packets go on, want 4: is the difference gone?", look, n)
		}
	}
}
