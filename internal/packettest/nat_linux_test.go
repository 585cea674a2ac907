package packettest

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gopacket/gopacket/layers"
)

// natted are rules that see a connection's both sides, and what was done to it.
var natted = []string{
	"-A FORWARD -m conntrack --ctstate SNAT", "-A FORWARD -m conntrack --ctstate DNAT", "-A FORWARD -m conntrack ! --ctstate DNAT", "-A FORWARD -m conntrack --ctstate SNAT,DNAT",
	"-A FORWARD -m conntrack --ctstatus SEEN_REPLY", "-A FORWARD -m conntrack ! --ctstatus SEEN_REPLY", "-A FORWARD -m conntrack --ctstatus ASSURED,CONFIRMED",
	"-A FORWARD -m conntrack --ctdir ORIGINAL", "-A FORWARD -m conntrack --ctdir REPLY", "-A FORWARD -m conntrack --ctorigdst 10.9.0.0/24",
	"-A FORWARD -m conntrack ! --ctorigsrc 192.168.1.0/24", "-A FORWARD -m conntrack --ctreplsrc " + farIPv4, "-A FORWARD -m conntrack --ctrepldst 10.9.0.50",
	"-A FORWARD -m conntrack --ctproto 6", "-A FORWARD -m conntrack ! --ctproto 6", "-A FORWARD -m conntrack --ctproto 6 --ctorigdstport 80",
	"-A FORWARD -p tcp -m conntrack --ctrepldstport 40000:65535", "-A FORWARD -s 10.9.0.0/24", "-A FORWARD -d " + farIPv4, "-A FORWARD -m state --state NEW",
	"-A FORWARD -m state --state ESTABLISHED", "-t mangle -A POSTROUTING -o eth1", "-t mangle -A POSTROUTING -o eth0 -d " + labtest.PeerIPv4,
}

func translations(*testing.T) []named {
	out := []packet{toFar(40000, 80), toFar(40001, 80), toFar(40000, 80), toFarUDP(1000, 53), toFarUDP(500, 53),
		v4("ping through", layers.IPProtocolICMPv4, to(farIPv4), icmp(8, 0), raw(1, 2, 3)),
		v4("ping from another", layers.IPProtocolICMPv4, func(ip *layers.IPv4) { to(farIPv4)(ip); from(otherIPv4)(ip) },
			&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 2, Seq: 1}, raw(4)),
		v4("from another", layers.IPProtocolUDP, func(ip *layers.IPv4) { to(farIPv4)(ip); from(otherIPv4)(ip) }, udp(1001, 53)),
	}
	in := []packet{syn(8080), datagram(8080), syn(22), datagram(53), syn(8081), ping(3)}
	nat := func(frames []packet, rules ...string) trial {
		return trial{frames: frames, answers: true, forwarded: true, rules: append(rules, natted...)}
	}
	return []named{
		{"SNAT", nat(out, "-t nat -A POSTROUTING -o eth1 -j SNAT --to-source 10.9.0.50")},
		{"SNAT to a range", nat(out, "-t nat -A POSTROUTING -o eth1 -j SNAT --to-source 10.9.0.50-10.9.0.57")},
		{"SNAT to a range, the same for each client", nat(out, "-t nat -A POSTROUTING -j SNAT --to-source 10.9.0.50-10.9.0.57 --persistent")},
		{"SNAT to a port", nat(out, "-t nat -A POSTROUTING -o eth1 -p tcp -j SNAT --to-source 10.9.0.50:7000", "-t nat -A POSTROUTING -o eth1 -p udp -j SNAT --to-source :7001")},
		{"SNAT on the way in", nat(in, "-t nat -A INPUT -p tcp --dport 22 -j SNAT --to-source "+otherIPv4, "-t nat -A INPUT")},
		{"MASQUERADE", nat(out, "-t nat -A POSTROUTING -o eth1 -j MASQUERADE", "-t nat -A POSTROUTING")},
		{"MASQUERADE to a port", nat(out[:2], "-t nat -A POSTROUTING -p tcp -o eth1 -j MASQUERADE --to-ports 7000")},
		{"DNAT", nat(in, "-t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination "+farIPv4+":80", "-t nat -A PREROUTING")},
		{"DNAT keeps the port", nat(in, "-t nat -A PREROUTING -d "+labtest.HostIPv4+" -j DNAT --to-destination "+farIPv4)},
		{"DNAT to a range", nat(in, "-t nat -A PREROUTING -p udp -j DNAT --to-destination 10.9.0.2-10.9.0.9")},
		{"DNAT of a port of this host", nat(in, "-t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination :22")},
		{"DNAT and SNAT, a hairpin", nat(in, "-t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination "+farIPv4+":80", "-t nat -A POSTROUTING -d "+farIPv4+" -p tcp --dport 80 -j MASQUERADE")},
		{"REDIRECT", nat(in, "-t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 22", "-A INPUT -p tcp --dport 22")},
		{"REDIRECT to this host", nat(append(out, in...), "-t nat -A PREROUTING -p udp -j REDIRECT", "-A INPUT -p udp -d "+labtest.HostIPv4, "-A INPUT")},
		{"ACCEPT exempts", nat(out, "-t nat -A POSTROUTING -p udp -j ACCEPT", "-t nat -A POSTROUTING -o eth1 -j SNAT --to-source 10.9.0.50")},
	}
}

// What is random is not the same twice: only the counters are compared.
func randomTranslations(*testing.T) []named {
	frames := []packet{toFar(40000, 80), toFarUDP(1000, 53), syn(8080), toFar(40000, 80)}
	return []named{
		{"SNAT --random", trial{frames: frames, rules: []string{"-t nat -A POSTROUTING -p tcp -o eth1 -j SNAT --to-source 10.9.0.50:7000-7999 --random", "-t mangle -A POSTROUTING -o eth1", "-A FORWARD -m conntrack --ctstate SNAT"}}},
		{"SNAT --random-fully", trial{frames: frames, rules: []string{"-t nat -A POSTROUTING -o eth1 -j SNAT --to-source 10.9.0.50 --random-fully", "-A FORWARD -m conntrack --ctstate SNAT"}}},
		{"MASQUERADE --random", trial{frames: frames, rules: []string{"-t nat -A POSTROUTING -o eth1 -p tcp -j MASQUERADE --to-ports 7000-7999 --random", "-A FORWARD -m conntrack --ctstate SNAT"}}},
		{"MASQUERADE --random-fully", trial{frames: frames, rules: []string{"-t nat -A POSTROUTING -o eth1 -j MASQUERADE --random-fully", "-A FORWARD -m conntrack --ctstate SNAT"}}},
		{"DNAT --random", trial{frames: frames, rules: []string{"-t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.9.0.2:80-90 --random", "-A FORWARD -p tcp --dport 80:90"}}},
		{"REDIRECT --random", trial{frames: frames, rules: []string{"-t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 7000-7009 --random", "-A INPUT -p tcp --dport 7000:7009"}}},
	}
}

func translations6(*testing.T) []named {
	out := []packet{
		v6("SYN through", layers.IPProtocolTCP, to6(farIPv6), tcp(40000, 80, "S")), v6("datagram through", layers.IPProtocolUDP, to6(farIPv6), udp(1000, 53), raw(1)),
		v6("ping through", layers.IPProtocolICMPv6, to6(farIPv6), icmp6(128, 0), raw(0, 1, 0, 1)),
	}
	in := []packet{v6("SYN to 8080", layers.IPProtocolTCP, nil, tcp(40000, 8080, "S")), v6("datagram to 53", layers.IPProtocolUDP, nil, udp(1000, 53), raw(1))}
	nat := func(frames []packet, rules ...string) trial {
		return trial{frames: frames, answers: true, forwarded: true, rules: append(rules, "-A FORWARD -m conntrack --ctstate SNAT",
			"-A FORWARD -m conntrack --ctstate DNAT", "-A FORWARD -m conntrack --ctorigdst "+farIPv6, "-A FORWARD -m conntrack --ctrepldst fd00:9::/64", "-A FORWARD")}
	}
	return []named{
		{"SNAT", nat(out, "-t nat -A POSTROUTING -o eth1 -j SNAT --to-source "+nearIPv6)},
		{"SNAT to a port", nat(out[:1], "-t nat -A POSTROUTING -o eth1 -p tcp -j SNAT --to-source ["+nearIPv6+"]:7000")},
		{"MASQUERADE", nat(out, "-t nat -A POSTROUTING -o eth1 -j MASQUERADE")},
		{"DNAT", nat(in, "-t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination ["+farIPv6+"]:80")},
		{"REDIRECT", nat(in, "-t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 22", "-A INPUT -p tcp --dport 22")},
	}
}

func untracked(*testing.T) []named {
	frames := []packet{syn(22), datagram(53), toFar(40000, 80), toFarUDP(1000, 53), datagram(53)}
	rest := []string{"-m state --state UNTRACKED", "-m state --state NEW", "-m state --state INVALID", "-m conntrack ! --ctstate UNTRACKED", "-m conntrack --ctstatus NONE",
		"-A FORWARD -m state --state UNTRACKED", "-A FORWARD -m conntrack --ctproto 17", "-A FORWARD -m conntrack ! --ctproto 17", "-A OUTPUT -m state --state UNTRACKED",
		"-m connmark --mark 0", "-m connmark ! --mark 0", "-m conntrack ! --ctstatus SEEN_REPLY", "-m conntrack --ctdir ORIGINAL", "-m conntrack --ctdir REPLY",
		"-m conntrack ! --ctstate DNAT", "-m conntrack --ctstate INVALID,NEW", "-m conntrack ! --ctorigsrc 1.2.3.4"}
	return []named{
		{"CT --notrack", trial{frames: frames, rules: append([]string{"-t raw -A PREROUTING -p udp -j CT --notrack", "-t raw -A OUTPUT -p tcp -j CT --notrack"}, rest...)}},
		{"NOTRACK", trial{frames: frames, rules: append([]string{"-t raw -A PREROUTING -p tcp -j NOTRACK"}, rest...)}},
	}
}
