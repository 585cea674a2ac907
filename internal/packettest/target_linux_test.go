package packettest

import (
	"fmt"
	"testing"

	"github.com/gopacket/gopacket/layers"
)

// named is a trial and what it proves.
type named struct {
	name string
	trial
}

func toFar(sport, dport uint16) packet {
	return v4(fmt.Sprintf("SYN from %d to the far side's %d", sport, dport), layers.IPProtocolTCP, to(farIPv4), tcp(sport, dport, "S"))
}

func toFarUDP(sport, dport uint16) packet {
	return v4(fmt.Sprintf("datagram from %d to the far side's %d", sport, dport), layers.IPProtocolUDP, to(farIPv4), udp(sport, dport), raw('h', 'i'))
}

func syn(dport uint16) packet {
	return v4(fmt.Sprintf("SYN to %d", dport), layers.IPProtocolTCP, nil, tcp(40000, dport, "S"))
}

func datagram(dport uint16) packet {
	return v4(fmt.Sprintf("datagram to %d", dport), layers.IPProtocolUDP, nil, udp(1000, dport), raw('h', 'i'))
}

func ping(id byte) packet {
	return v4(fmt.Sprintf("ping %d", id), layers.IPProtocolICMPv4, nil, icmp(8, 0), raw(id, 1, 2, 3))
}

func verdicts(*testing.T) []named {
	some := []packet{syn(22), syn(80), syn(443), datagram(53), datagram(22), ping(1), toFar(40000, 80), toFarUDP(1000, 53)}
	return []named{
		{"the first verdict ends it", trial{frames: some, answers: true, rules: []string{
			"-p tcp --dport 22 -j ACCEPT", "-p tcp -j DROP", "-p tcp", "", "-p udp -j DROP", "-A FORWARD -p tcp -j DROP", "-A FORWARD"}}},
		{"jump comes back, goto does not", trial{frames: some, rules: []string{
			"-p tcp -j A", "-p udp -g B", "", "-A A -p tcp --dport 22 -j RETURN", "-A A", "-A A --proto tcp --dport 80 -j C",
			"-A A", "-A C -j RETURN", "-A C -j DROP", "-A B -p udp --dport 53 -j RETURN", "-A B"}}},
		{"goto from a chain goes back to the caller's caller", trial{frames: some, rules: []string{
			"-j A", "-p tcp -j DROP", "-A A -j B", "-A A -p udp -j DROP", "-A B -p tcp -g C", "-A B", "-A C -p tcp --dport 443 -j ACCEPT", "-A C"}}},
		{"return in a built-in chain is the policy", trial{frames: some, rules: []string{"-p tcp -j RETURN", "", "-A FORWARD -j RETURN", "-A FORWARD"}}},
		{"counters begin where they are set", trial{frames: some, rules: []string{"-p tcp -c 5 600", "-c 7 8 -p udp -j ACCEPT", ""}}},
		{"names that nft cannot say", trial{frames: some, rules: []string{"-p tcp -j log", "-p udp -g 1a,b", "-A log", "-A 1a,b", "-A 1a,b -j ip", "-A ip"}}},
		{"the limit's burst, and no more", trial{frames: append(some, append(some, some...)...), rules: []string{
			"-m limit --limit 1/day --limit-burst 1", "-m limit --limit 1/hour --limit-burst 5 -p tcp", "-m limit --limit 2/hour -j ACCEPT", ""}}},
		{"LOG lets pass", trial{frames: some, rules: []string{
			"-p tcp -j LOG --log-prefix \"tcp: \" --log-level debug --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode",
			"-j LOG", "", "-A FORWARD -j LOG --log-level 7"}}},
		{"every table is passed in its order", trial{frames: some, answers: true, rules: []string{
			"-t raw -A PREROUTING -p udp --dport 22 -j DROP", "-t raw -A PREROUTING", "-t mangle -A PREROUTING -p tcp --dport 443 -j DROP",
			"-t mangle -A INPUT", "-t mangle -A FORWARD", "-t mangle -A OUTPUT", "-t mangle -A POSTROUTING", "-t raw -A OUTPUT", "-A OUTPUT", "-A OUTPUT -p tcp --sport 80 -j DROP"}}},
	}
}

func marks(*testing.T) []named {
	var set []string
	for _, s := range []string{"--set-xmark 0x10/0xff", "--set-mark 0x1200", "--set-mark 0x3/0x7", "--or-mark 0x8000", "--and-mark 0xfff0", "--xor-mark 0x11",
		"--set-xmark 0x0/0x1000", "--set-xmark 0xdeadbeef/0xffffffff", "--and-mark 0xffff", "--set-mark 0x0/0xf0"} {
		set = append(set, "-t mangle -A PREROUTING -j MARK "+s)
		for _, m := range []string{"0x0", "0x10/0xff", "0x1200/0xff00", "0x3/0x7", "0x8000/0x8000", "0x11", "0xbeef", "0xbe0f/0xffff"} {
			set = append(set, "-t mangle -A PREROUTING -m mark --mark "+m, "-t mangle -A PREROUTING -m mark ! --mark "+m)
		}
	}
	flow := []packet{datagram(9), datagram(9), datagram(10), toFarUDP(1000, 9), toFarUDP(1000, 9), toFar(40000, 9)}
	connmark := func(rules ...string) (out []string) {
		for _, r := range rules {
			out = append(out, "-t mangle -A PREROUTING -j "+r)
			for _, m := range []string{"0x0", "0x1", "0xf0/0xf0", "0x12", "0x34/0xff", "0xff00/0xff00", "0x112"} {
				out = append(out, "-t mangle -A PREROUTING -m connmark --mark "+m, "-t mangle -A PREROUTING -m connmark ! --mark "+m,
					"-t mangle -A PREROUTING -m mark --mark "+m, "-t mangle -A POSTROUTING -m connmark --mark "+m)
			}
		}
		return out
	}
	return []named{
		{"MARK keeps the bits outside its mask", trial{frames: []packet{syn(22), datagram(9), toFar(1, 2)}, rules: set}},
		{"CONNMARK sets", trial{frames: flow, rules: connmark("CONNMARK --set-mark 0x1", "CONNMARK --set-xmark 0xf0/0xff", "CONNMARK --or-mark 0xff00",
			"CONNMARK --and-mark 0x12ff", "CONNMARK --xor-mark 0x1", "CONNMARK --set-mark 0x2/0xf")}},
		{"CONNMARK saves and restores", trial{frames: flow, rules: connmark("MARK --set-mark 0x12", "CONNMARK --save-mark", "MARK --set-mark 0x134",
			"CONNMARK --restore-mark", "CONNMARK --set-mark 0x112")}},
		{"CONNMARK saves and restores under masks", trial{frames: flow, rules: connmark("MARK --set-mark 0x134", "CONNMARK --save-mark --nfmask 0xff --ctmask 0xff",
			"CONNMARK --set-xmark 0xff00/0xff00", "CONNMARK --restore-mark --nfmask 0xff00 --ctmask 0xff00", "CONNMARK --restore-mark --mask 0xff")}},
		{"a mark without a connection", trial{frames: flow, rules: append([]string{"-t raw -A PREROUTING -p udp -j CT --notrack"},
			connmark("MARK --set-mark 0x12", "CONNMARK --save-mark", "CONNMARK --restore-mark", "CONNMARK --set-mark 0x1")...)}},
	}
}

func rejections(*testing.T) []named {
	frames := []packet{syn(22), datagram(53), ping(1), toFar(40000, 80), toFarUDP(1000, 53),
		v4("an RST", layers.IPProtocolTCP, nil, tcp(40000, 22, "R")), v4("an ACK", layers.IPProtocolTCP, nil, tcp(40000, 22, "A"), raw(1, 2, 3)),
		v4("an ICMP error", layers.IPProtocolICMPv4, nil, icmp(3, 1), raw(make([]byte, 28)...)),
		v4("a long one", layers.IPProtocolUDP, nil, udp(5, 6), raw(make([]byte, 1400)...))}
	var trials []named
	for _, with := range []string{"icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable", "icmp-port-unreachable",
		"icmp-net-prohibited", "icmp-host-prohibited", "icmp-admin-prohibited"} {
		trials = append(trials, named{with, trial{frames: frames, answers: true, rules: []string{
			"-j REJECT --reject-with " + with, "", "-A FORWARD -j REJECT --reject-with " + with, "-A OUTPUT"}}})
	}
	trials = append(trials, named{"tcp-reset", trial{frames: frames, answers: true, rules: []string{
		"-p tcp -j REJECT --reject-with tcp-reset", "", "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset", "-A OUTPUT"}}},
		named{"the default", trial{frames: frames, answers: true, rules: []string{"-j REJECT", "-A FORWARD -p udp -j REJECT"}}})
	return trials
}

func rejections6(*testing.T) []named {
	frames := []packet{
		v6("a SYN", layers.IPProtocolTCP, nil, tcp(40000, 22, "S")), v6("a datagram", layers.IPProtocolUDP, nil, udp(1000, 53), raw(1, 2)),
		v6("a ping", layers.IPProtocolICMPv6, nil, icmp6(128, 0), raw(0, 1, 0, 1)), v6("through", layers.IPProtocolTCP, to6(farIPv6), tcp(40000, 80, "S")),
		v6("an error", layers.IPProtocolICMPv6, nil, icmp6(1, 0), raw(make([]byte, 52)...)), v6("an RST", layers.IPProtocolTCP, nil, tcp(40000, 22, "R")),
	}
	var trials []named
	for _, with := range []string{"icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-port-unreachable", "icmp6-policy-fail", "icmp6-reject-route"} {
		trials = append(trials, named{with, trial{frames: frames, answers: true, rules: []string{
			"-j REJECT --reject-with " + with, "", "-A FORWARD -j REJECT --reject-with " + with, "-A OUTPUT"}}})
	}
	trials = append(trials, named{"tcp-reset", trial{frames: frames, answers: true, rules: []string{
		"-p tcp -j REJECT --reject-with tcp-reset", "", "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset", "-A OUTPUT"}}})
	return trials
}

func segmentSizes(*testing.T) []named {
	mss := func(hi, lo byte) layers.TCPOption {
		return layers.TCPOption{OptionType: 2, OptionLength: 4, OptionData: []byte{hi, lo}}
	}
	through := func(name string, opts ...layers.TCPOption) packet {
		return v4(name, layers.IPProtocolTCP, to(farIPv4), tcp(40000, 80, "S", opts...))
	}
	nop := layers.TCPOption{OptionType: 1}
	frames := []packet{
		through("1460", mss(5, 180)), through("536", mss(2, 24)), through("behind no-operations", nop, nop, mss(5, 180)), through("no option"),
		v4("SYN/ACK", layers.IPProtocolTCP, to(farIPv4), tcp(40000, 80, "SA", mss(5, 180))),
		v4("SYN with data and no option", layers.IPProtocolTCP, to(farIPv4), tcp(40000, 80, "S"), raw(1, 2, 3)),
	}
	return []named{
		{"set", trial{frames: frames, forwarded: true, rules: []string{"-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000", "-A FORWARD"}}},
		{"clamp", trial{frames: frames, forwarded: true, rules: []string{"-t mangle -A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"}}},
	}
}

func segmentSizes6(*testing.T) []named {
	through := func(name string, opts ...layers.TCPOption) packet {
		return v6(name, layers.IPProtocolTCP, to6(farIPv6), tcp(40000, 80, "S", opts...))
	}
	frames := []packet{
		through("1440", layers.TCPOption{OptionType: 2, OptionLength: 4, OptionData: []byte{5, 160}}), through("no option"),
	}
	return []named{
		{"set", trial{frames: frames, forwarded: true, rules: []string{"-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1000", "-A FORWARD"}}},
		{"clamp", trial{frames: frames, forwarded: true, rules: []string{"-A FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu"}}},
	}
}
