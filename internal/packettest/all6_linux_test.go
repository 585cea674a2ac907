package packettest

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gopacket/gopacket/layers"
)

// ipv6Packets are IPv6 packets of every kind that a match tells apart, whole
// enough that xt matches drop none of them on sight. None has an authentication
// header, behind which -p sees nothing: see TestBehindAuthentication.
func ipv6Packets() (all []packet) {
	add := func(ps ...packet) { all = append(all, ps...) }
	for _, p := range [][2]uint16{
		{40000, 22}, {1024, 80}, {1023, 443}, {0, 1}, {65535, 65535}, {22, 40000}, {5, 6}, {53, 0},
		{25, 110}, {1000, 1999}, {2000, 2001}, {5353, 53}, {81, 79},
	} {
		name := fmt.Sprintf("%d to %d", p[0], p[1])
		add(v6("TCP SYN "+name, layers.IPProtocolTCP, nil, tcp(p[0], p[1], "S")),
			v6("UDP "+name, layers.IPProtocolUDP, nil, udp(p[0], p[1]), raw(1, 2, 3)))
	}
	for _, f := range []string{"F", "R", "A", "SA", "FPU", "FSRPAU", "SEC"} {
		add(v6("TCP flags "+f, layers.IPProtocolTCP, nil, tcp(40000, 80, f)))
	}
	// Types that make the host send more than an answer (neighbour discovery,
	// router advertisements) come with a hop limit that it does not take.
	for _, i := range [][2]uint8{{1, 0}, {1, 1}, {1, 4}, {1, 6}, {2, 0}, {3, 0}, {3, 1}, {4, 0}, {4, 1}, {128, 0}, {128, 1}, {129, 0},
		{130, 0}, {131, 0}, {132, 0}, {133, 0}, {134, 0}, {135, 0}, {136, 0}, {137, 0}, {143, 0}, {144, 0}, {255, 255}} {
		add(v6(fmt.Sprintf("ICMPv6 %d/%d", i[0], i[1]), layers.IPProtocolICMPv6, nil, icmp6(i[0], i[1]), raw(make([]byte, 60)...)))
	}
	for _, p := range []layers.IPProtocol{protoDCCP, protoSCTP, protoUDPLite, protoTest, layers.IPProtocolESP} {
		add(v6(fmt.Sprintf("protocol %d to 80", p), p, nil, ports(40000, 80)), v6(fmt.Sprintf("protocol %d to 22", p), p, nil, ports(22, 22)))
	}
	return append(append(all, ipv6Headers()...), ipv6Fragments()...)
}

// ipv6Headers differ in the network and the link header.
func ipv6Headers() (all []packet) {
	add := func(ps ...packet) { all = append(all, ps...) }
	ssh := func() header { return tcp(40000, 22, "S") }
	plain := v6("from another card", layers.IPProtocolTCP, nil, ssh())
	add(plain.between("02:00:00:00:01:99", labtest.HostMAC))
	for _, hl := range []uint8{0, 1, 2, 63, 65, 128, 254, 255} {
		add(v6(fmt.Sprintf("hop limit %d", hl), layers.IPProtocolTCP, func(ip *layers.IPv6) { ip.HopLimit = hl }, ssh()))
	}
	for _, class := range []uint8{1, 4, 0x28, 0xb8, 0xff} {
		add(v6(fmt.Sprintf("class %#x", class), layers.IPProtocolTCP, func(ip *layers.IPv6) { ip.TrafficClass = class }, ssh()))
	}
	for _, n := range []int{0, 1, 31, 32, 52, 92, 1300, 1451, 1452} {
		add(v6(fmt.Sprintf("UDP with %d bytes", n), layers.IPProtocolUDP, nil, udp(1000, 9), raw(make([]byte, n)...)))
	}
	for _, a := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::9", "2001:db8::a", "2001:db8:1::", "fd00:1::1", "fd00:1::ffff",
		"fe80::1", farIPv6, "2000::1"} {
		// An echo reply, since to answer anything else the host would look for a
		// neighbour, for seconds.
		add(v6("from "+a, layers.IPProtocolICMPv6, from6(a), icmp6(129, 0), raw(0, 1, 0, 1)))
	}
	add(v6("to all nodes", layers.IPProtocolUDP, to6("ff02::1"), udp(1000, 9)).between(labtest.PeerMAC, "33:33:00:00:00:01"),
		v6("to the far side", layers.IPProtocolTCP, to6(farIPv6), ssh()),
		v6("to the far side by UDP", layers.IPProtocolUDP, to6(farIPv6), udp(1000, 9)),
		v6("to nowhere", layers.IPProtocolTCP, to6("2001:db8:ffff::1"), ssh()))
	syn, datagram := transport6(tcp(40000, 22, "S")), transport6(udp(1000, 53), 1, 2, 3)
	for _, dst := range []string{labtest.HostIPv6, farIPv6} {
		add(v6("TCP behind destination options to "+dst, layers.IPProtocolIPv6Destination, to6(dst), options6(layers.IPProtocolTCP, syn)),
			v6("UDP behind hop-by-hop options to "+dst, layers.IPProtocolIPv6HopByHop, to6(dst), options6(layers.IPProtocolUDP, datagram)),
			v6("nothing behind the header to "+dst, layers.IPProtocolNoNextHeader, to6(dst)),
			v6("nothing behind options to "+dst, layers.IPProtocolIPv6Destination, to6(dst), options6(layers.IPProtocolNoNextHeader, nil)))
	}
	return all
}

// ipv6Fragments are fragments to the host and to the far side: first ones with a
// whole header, and later ones whose payload looks like a header.
func ipv6Fragments() (all []packet) {
	syn, datagram := transport6(tcp(40000, 80, "S"), make([]byte, 28)...), transport6(udp(1000, 53), make([]byte, 40)...)
	for i, dst := range []string{labtest.HostIPv6, farIPv6} {
		for k, f := range []struct {
			name   string
			proto  layers.IPProtocol
			b      []byte
			offset uint16
			more   bool
		}{
			{"first of TCP", layers.IPProtocolTCP, syn[:48], 0, true},
			{"last of TCP, like a SYN to 80", layers.IPProtocolTCP, syn[:24], 100, false},
			{"middle of TCP, like a SYN to 80", layers.IPProtocolTCP, syn[:48], 100, true},
			{"first of UDP", layers.IPProtocolUDP, datagram[:48], 0, true},
			{"last of UDP, like a question", layers.IPProtocolUDP, datagram[:16], 150, false},
			{"last of ICMPv6, like a ping", layers.IPProtocolICMPv6, []byte{128, 0, 0, 0, 0, 1, 0, 1}, 150, false},
			{"last of SCTP, like one to 80", protoSCTP, []byte{0x9c, 0x40, 0, 80, 0, 0, 0, 0}, 64, false},
			{"atomic, UDP", layers.IPProtocolUDP, datagram, 0, false},
		} {
			h := build(fragment6(f.proto, f.offset, f.more, f.b))
			h[7] = byte(100*i + k) // fragments of packets of their own
			all = append(all, v6(f.name+" fragment to "+dst, layers.IPProtocolIPv6Fragment, to6(dst), raw(h...)))
		}
	}
	return all
}

// transport6 is the bytes of a transport header between the peer and the host.
func transport6(l header, more ...byte) []byte {
	ip := &layers.IPv6{SrcIP: mustIP(labtest.PeerIPv6), DstIP: mustIP(labtest.HostIPv6), NextHeader: layers.IPProtocolTCP}
	checksummed(ip, []header{l})
	return build(l, raw(more...))
}
