package packettest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gopacket/gopacket/layers"
)

// everyOwner are the judge, us in tables of our own, and us in iptables'.
func everyOwner(t testing.TB, f nf.Family) []*side {
	t.Helper()
	return append(sides(t, f), ours(t, "ours as iptables", backend.Iptables, f, f))
}

func some4() []packet {
	return []packet{syn(22), datagram(53), ping(1), syn(80), v4("a long one", layers.IPProtocolUDP, nil, udp(5, 6), raw(make([]byte, 1000)...))}
}

// What the listeners of NFLOG's groups hear: the prefix and as many bytes.
func TestNFLOGIsHeard(t *testing.T) {
	t.Parallel()
	rules := []string{
		`-p udp -j NFLOG --nflog-group 5 --nflog-prefix "a b: "`, "-p tcp -j NFLOG --nflog-group 6 --nflog-size 30", "-p icmp -j NFLOG --nflog-group 5 --nflog-size 0",
		"-p tcp --dport 80 -j NFLOG --nflog-group 6 --nflog-threshold 1 --nflog-prefix " + strings.Repeat("x", 63), "-j NFLOG",
	}
	hear(t, everyOwner(t, nf.IPv4), rules, some4(), func(s *side) []handed {
		l := s.listen(s.host)
		defer l.close()
		for _, group := range []uint16{0, 5, 6} {
			s.must(l.logs(group))
		}
		s.sendAll(some4())
		all, err := l.hear()
		s.must(err)
		if len(all) < 2*len(some4()) {
			t.Errorf("%s: %d packets were heard of", s.name, len(all))
		}
		return all
	})
	frames := []packet{v6("a SYN", layers.IPProtocolTCP, nil, tcp(40000, 22, "S"))}
	hear(t, everyOwner(t, nf.IPv6), []string{"-p tcp -j NFLOG --nflog-group 5 --nflog-prefix six"}, frames, func(s *side) []handed {
		l := s.listen(s.host)
		defer l.close()
		s.must(l.logs(5))
		s.sendAll(frames)
		all, err := l.hear()
		s.must(err)
		if len(all) != 1 || all[0].prefix != "six" {
			t.Errorf("%s: heard %v", s.name, all)
		}
		return all
	})
}

// hear loads rules on every side and compares what was heard, and the counters,
// with the judge's.
func hear(t *testing.T, all []*side, rules []string, frames []packet, listen func(s *side) []handed) {
	t.Helper()
	var want []string
	var counts []counted
	text := saveText(rules)
	for i, s := range all {
		s.t = t
		s.must(s.load(text))
		s.forget()
		var got []string
		for _, h := range listen(s) {
			got = append(got, h.String())
		}
		n := s.counts(tablesOf(text))
		if i == 0 {
			want, counts = got, n
			continue
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: heard\n%s\nwant\n%s", s.name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if !sameCounts(counts, n) {
			t.Errorf("%s:\n%s", s.name, result{counts: counts}.difference(result{counts: n}))
		}
	}
}

func (s *side) sendAll(frames []packet) {
	s.t.Helper()
	for _, p := range frames {
		s.send(p.frame)
	}
}

// What is queued, to which queue of several, and what becomes of it: dropped where
// nobody listens or the listener says so, accepted where it says that, or where
// nobody listens and the rule says so.
func TestNFQUEUEIsAsked(t *testing.T) {
	t.Parallel()
	var flows []packet
	for port := range uint16(12) {
		flows = append(flows, datagram(100+port))
	}
	frames := append(some4(), flows...)
	rules := []string{"-p tcp -j NFQUEUE --queue-num 7", "-p icmp -j NFQUEUE --queue-num 9", "-p udp --dport 6 -j NFQUEUE --queue-num 9 --queue-bypass",
		"-p udp -j NFQUEUE --queue-balance 20:23", "", "-A OUTPUT"}
	hear(t, everyOwner(t, nf.IPv4), rules, frames, func(s *side) []handed {
		l := s.listen(s.host)
		defer l.close()
		for _, queue := range []uint16{7, 20, 21, 22, 23} {
			s.must(l.queues(queue))
		}
		s.sendAll(frames)
		all, err := l.hear()
		s.must(err)
		if len(all) != 3+len(flows) {
			t.Errorf("%s: %d packets were queued, want %d", s.name, len(all), 3+len(flows))
		}
		for i, h := range all {
			s.must(l.verdict(h, uint32(i%2)))
		}
		time.Sleep(silence)
		return all
	})
}

// A copy goes to the gateway, and the packet on its way.
func TestTEECopies(t *testing.T) {
	t.Parallel()
	four, six := everyOwner(t, nf.IPv4), everyOwner(t, nf.IPv6)
	frames6 := []packet{v6("a SYN", layers.IPProtocolTCP, nil, tcp(40000, 22, "S")), v6("a datagram", layers.IPProtocolUDP, nil, udp(1000, 53), raw(1, 2)),
		v6("to the far side", layers.IPProtocolUDP, to6(farIPv6), udp(1000, 9))}
	for _, n := range []named{
		{"on the way in", trial{frames: append(some4(), toFarUDP(1000, 9)), rules: []string{"-t mangle -A PREROUTING -i eth0 -j TEE --gateway " + farIPv4, "-t mangle -A PREROUTING", "", "-t mangle -A POSTROUTING"}}},
		{"through a device", trial{frames: some4(), rules: []string{"-p udp -j TEE --gateway " + farIPv4 + " --oif eth1", "", "-t mangle -A POSTROUTING -o eth1"}}},
		{"through one that is not there", trial{frames: some4(), rules: []string{"-p udp -j TEE --gateway " + farIPv4 + " --oif nosuch", "", "-t mangle -A POSTROUTING"}}},
		{"on the way out", trial{frames: some4(), rules: []string{"-A OUTPUT -p icmp -j TEE --gateway " + farIPv4, "-A OUTPUT"}}},
		{"IPv6, on the way in", trial{family: nf.IPv6, frames: frames6, rules: []string{"-t mangle -A PREROUTING -j TEE --gateway " + farIPv6, "", "-t mangle -A POSTROUTING -o eth1"}}},
		{"IPv6, through a device", trial{family: nf.IPv6, frames: frames6, rules: []string{"-j TEE --gateway " + farIPv6 + " --oif eth1", ""}}},
	} {
		t.Run(n.name, func(t *testing.T) {
			n.forwarded = true
			all := four
			if n.family == nf.IPv6 {
				all = six
			}
			n.through(t, all)
		})
	}
}

// The class that CLASSIFY gives, seen by a rule of nft's behind.
func TestCLASSIFYGivesAClass(t *testing.T) {
	t.Parallel()
	watch := "table inet watch { chain c { type filter hook postrouting priority 300\n"
	for _, class := range []string{"none", "1:2", "abcd:ef", "ffff:fffe"} {
		watch += "meta priority " + class + " counter\n"
	}
	hearRules := []string{"-t mangle -A POSTROUTING -p tcp -j CLASSIFY --set-class 1:2", "-A FORWARD -p udp -j CLASSIFY --set-class abcd:ef",
		"-t mangle -A FORWARD -p icmp -j CLASSIFY --set-class ffff:fffe", "-t mangle -A POSTROUTING"}
	frames := []packet{toFar(40000, 80), toFarUDP(1000, 53), toFarUDP(1001, 53), v4("ping through", layers.IPProtocolICMPv4, to(farIPv4), icmp(8, 0), raw(1))}
	want := ""
	for i, s := range everyOwner(t, nf.IPv4) {
		s.must(s.load(saveText(hearRules)))
		oracle.Nft(t, s.host).MustLoad(watch + "}\n}\n")
		s.sendAll(frames)
		got := watched(t, s)
		if i == 0 {
			want = got
		}
		if got != want || !strings.Contains(got, "meta priority 1:2 counter packets 2 bytes 80") {
			t.Errorf("%s: the classes are\n%s\nwant\n%s", s.name, got, want)
		}
	}
}

// watched are the rules of the table watch, with their counters.
func watched(t *testing.T, s *side) string {
	t.Helper()
	var out []string
	list := oracle.Nft(t, s.host).List()
	_, list, _ = strings.Cut(list, "table inet watch {")
	list, _, _ = strings.Cut(list, "\n}")
	for line := range strings.Lines(list) {
		if strings.Contains(line, "counter") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// Packets that TRACE marks are the ones that nf_tables tells of; AUDIT lets pass.
func TestTRACEMarks(t *testing.T) {
	t.Parallel()
	rules := []string{"-t raw -A PREROUTING -p udp -j TRACE", "-t raw -A PREROUTING", "-p udp", "-j AUDIT --type accept", "-p tcp -j AUDIT --type drop", ""}
	hear(t, everyOwner(t, nf.IPv4), rules, some4(), func(s *side) []handed {
		l := s.listen(s.host)
		defer l.close()
		s.must(l.traces())
		s.sendAll(some4())
		all, err := l.hear()
		s.must(err)
		traced := map[uint32]bool{}
		for _, h := range all {
			traced[h.id] = true
		}
		want := 2 // of UDP
		if s.name == "iptables-legacy" {
			want = 0 // which writes to the kernel's log
		}
		if len(traced) != want {
			t.Errorf("%s: %d packets were told of, want %d", s.name, len(traced), want)
		}
		return nil
	})
}
