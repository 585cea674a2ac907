package packettest

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gopacket/gopacket/layers"
)

const (
	protoDCCP    = layers.IPProtocol(33)
	protoSCTP    = layers.IPProtocolSCTP
	protoUDPLite = layers.IPProtocolUDPLite
	protoTest    = layers.IPProtocol(253)
)

// ipv4Packets are IPv4 packets of every kind that a match tells apart, whole
// enough that xt matches drop none of them on sight.
func ipv4Packets() (all []packet) {
	add := func(ps ...packet) { all = append(all, ps...) }
	for _, p := range [][2]uint16{
		{40000, 22}, {1024, 80}, {1023, 443}, {0, 1}, {65535, 65535}, {22, 40000}, {5, 6}, {8, 9}, {53, 0},
		{9, 8}, {25, 110}, {110, 25}, {1000, 1999}, {2000, 2001}, {5353, 53}, {1, 9}, {81, 79}, {1025, 65534},
	} {
		name := fmt.Sprintf("%d to %d", p[0], p[1])
		add(v4("TCP SYN "+name, layers.IPProtocolTCP, nil, tcp(p[0], p[1], "S")),
			v4("UDP "+name, layers.IPProtocolUDP, nil, udp(p[0], p[1]), raw(1, 2, 3)))
	}
	for _, f := range []string{"", "F", "S", "R", "P", "A", "U", "SA", "FA", "RA", "PA", "FPU", "SF", "SR", "FSRPAU", "SEC", "E", "C", "FSRPAUEC"} {
		add(v4("TCP flags "+f, layers.IPProtocolTCP, nil, tcp(40000, 80, f)))
	}
	add(v4("TCP with a segment size", layers.IPProtocolTCP, nil, tcp(40000, 22, "S",
		layers.TCPOption{OptionType: 2, OptionLength: 4, OptionData: []byte{5, 180}})),
		v4("TCP with timestamps", layers.IPProtocolTCP, nil, tcp(40000, 22, "S",
			layers.TCPOption{OptionType: 1}, layers.TCPOption{OptionType: 1},
			layers.TCPOption{OptionType: 8, OptionLength: 10, OptionData: make([]byte, 8)})))
	for _, i := range [][2]uint8{{0, 0}, {3, 0}, {3, 1}, {3, 3}, {3, 4}, {3, 13}, {3, 15}, {4, 0}, {5, 0}, {5, 1}, {8, 0}, {8, 1},
		{9, 0}, {10, 0}, {11, 0}, {11, 1}, {12, 0}, {12, 1}, {13, 0}, {14, 0}, {17, 0}, {18, 0}, {40, 0}, {255, 255}} {
		add(v4(fmt.Sprintf("ICMP %d/%d", i[0], i[1]), layers.IPProtocolICMPv4, nil, icmp(i[0], i[1]), raw(make([]byte, 40)...)))
	}
	for _, p := range []layers.IPProtocol{protoDCCP, protoSCTP, protoUDPLite, protoTest, layers.IPProtocolGRE, layers.IPProtocolESP, layers.IPProtocolAH} {
		add(v4(fmt.Sprintf("protocol %d to 80", p), p, nil, ports(40000, 80)), v4(fmt.Sprintf("protocol %d to 22", p), p, nil, ports(22, 22)))
	}
	add(v4("protocol 253, nothing in it", protoTest, nil))
	return append(append(all, ipv4Headers()...), ipv4Fragments()...)
}

// ipv4Headers differ in the network and the link header.
func ipv4Headers() (all []packet) {
	add := func(ps ...packet) { all = append(all, ps...) }
	ssh := func() header { return tcp(40000, 22, "S") }
	plain := v4("from another card", layers.IPProtocolTCP, nil, ssh())
	add(plain.between("02:00:00:00:01:99", labtest.HostMAC), plain.between("00:11:22:33:44:55", labtest.HostMAC))
	for _, ttl := range []uint8{0, 1, 2, 63, 65, 128, 254, 255} {
		add(v4(fmt.Sprintf("TTL %d", ttl), layers.IPProtocolTCP, func(ip *layers.IPv4) { ip.TTL = ttl }, ssh()))
	}
	for _, tos := range []uint8{1, 2, 3, 4, 0x10, 0x28, 0xb8, 0xff} {
		add(v4(fmt.Sprintf("TOS %#x", tos), layers.IPProtocolTCP, func(ip *layers.IPv4) { ip.TOS = tos }, ssh()))
	}
	for _, n := range []int{0, 1, 15, 16, 71, 72, 73, 472, 1371, 1372, 1471, 1472} {
		add(v4(fmt.Sprintf("UDP with %d bytes", n), layers.IPProtocolUDP, nil, udp(1000, 9), raw(make([]byte, n)...)))
	}
	for _, a := range []string{"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.9", "10.0.0.10", "10.0.1.0", "10.255.255.255", "172.16.5.4",
		"192.168.1.1", "192.168.1.254", "1.2.3.4", "8.8.8.8", farIPv4, "223.255.255.255"} {
		add(v4("from "+a, layers.IPProtocolUDP, from(a), udp(1000, 9)))
	}
	add(v4("to everybody", layers.IPProtocolUDP, to("255.255.255.255"), udp(1000, 9)).between(labtest.PeerMAC, "ff:ff:ff:ff:ff:ff"),
		v4("to the network", layers.IPProtocolUDP, to("192.168.1.255"), udp(1000, 9)).between(labtest.PeerMAC, "ff:ff:ff:ff:ff:ff"),
		v4("to one, by broadcast", layers.IPProtocolUDP, nil, udp(1000, 9)).between(labtest.PeerMAC, "ff:ff:ff:ff:ff:ff"),
		v4("to all hosts", layers.IPProtocolUDP, to("224.0.0.1"), udp(1000, 9)).between(labtest.PeerMAC, "01:00:5e:00:00:01"),
		v4("to the far side", layers.IPProtocolTCP, to(farIPv4), ssh()),
		v4("to the far side by UDP", layers.IPProtocolUDP, to(farIPv4), udp(1000, 9)),
		v4("to nowhere", layers.IPProtocolTCP, to("203.0.113.1"), ssh()))
	add(v4("with a router alert", layers.IPProtocolTCP, func(ip *layers.IPv4) {
		ip.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}
	}, ssh()), v4("with options to the far side", layers.IPProtocolUDP, func(ip *layers.IPv4) {
		ip.DstIP = mustIP(farIPv4)
		ip.Options = []layers.IPv4Option{{OptionType: 1}, {OptionType: 1}, {OptionType: 1}, {OptionType: 0}}
	}, udp(1000, 80)))
	return all
}

// ipv4Fragments are fragments to the host and to the far side: first ones with a
// whole header, and later ones whose payload looks like a header. They never add
// up to a packet.
func ipv4Fragments() (all []packet) {
	syn := transport(tcp(40000, 80, "S"), make([]byte, 28)...)
	datagram := transport(udp(1000, 53), make([]byte, 40)...)
	id := uint16(100)
	for _, dst := range []string{labtest.HostIPv4, farIPv4} {
		for _, f := range []struct {
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
			{"last of UDP, like a question", layers.IPProtocolUDP, datagram[:16], 185, false},
			{"last of ICMP, like a ping", layers.IPProtocolICMPv4, []byte{8, 0, 0, 0, 0, 1, 0, 1}, 185, false},
			{"last of SCTP, like one to 80", protoSCTP, []byte{0x9c, 0x40, 0, 80, 0, 0, 0, 0}, 64, false},
			{"last of TCP, one byte", layers.IPProtocolTCP, []byte{80}, 185, false},
			{"last of ESP", layers.IPProtocolESP, []byte{0, 0, 1, 0, 0, 0, 0, 1}, 185, false},
		} {
			id++
			number := id // fragments of packets of their own
			all = append(all, v4(f.name+" fragment to "+dst, f.proto, func(ip *layers.IPv4) {
				fragment(f.offset, f.more)(ip)
				to(dst)(ip)
				ip.Id = number
			}, raw(f.b...)))
		}
	}
	return all
}
