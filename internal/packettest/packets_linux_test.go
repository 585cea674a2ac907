package packettest

import (
	"encoding/binary"
	"net"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// packet is a frame with a name for messages.
type packet struct {
	name  string
	frame []byte
}

// header is one part of a packet.
type header = gopacket.SerializableLayer

// raw is bytes as they are.
func raw(b ...byte) header { return gopacket.Payload(b) }

func mac(s string) net.HardwareAddr {
	m, err := net.ParseMAC(s)
	if err != nil {
		panic(err) // a constant of these tests
	}
	return m
}

func ethernet(kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: mac(labtest.PeerMAC), DstMAC: mac(labtest.HostMAC), EthernetType: kind}
}

// build is the bytes of headers, lengths and checksums filled in.
func build(ls ...header) []byte {
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		panic(err) // a mistake in these tests
	}
	return append([]byte(nil), b.Bytes()...)
}

// checksummed tells transport headers which addresses their checksum is over.
func checksummed(ip gopacket.NetworkLayer, ls []header) {
	for _, l := range ls {
		if c, ok := l.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok {
			_ = c.SetNetworkLayerForChecksum(ip) // fails for no IP layer only
		}
	}
}

// v4 is an IPv4 packet from the peer to the host, of the given protocol.
func v4(name string, p layers.IPProtocol, set func(*layers.IPv4), ls ...header) packet {
	ip := &layers.IPv4{Version: 4, TTL: 64, Id: 7, Protocol: p, SrcIP: net.ParseIP(labtest.PeerIPv4), DstIP: net.ParseIP(labtest.HostIPv4)}
	if set != nil {
		set(ip)
	}
	checksummed(ip, ls)
	return packet{name, build(append([]header{ethernet(layers.EthernetTypeIPv4), ip}, ls...)...)}
}

// v6 is an IPv6 packet from the peer to the host.
func v6(name string, p layers.IPProtocol, set func(*layers.IPv6), ls ...header) packet {
	ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: p, SrcIP: net.ParseIP(labtest.PeerIPv6), DstIP: net.ParseIP(labtest.HostIPv6)}
	if set != nil {
		set(ip)
	}
	checksummed(ip, ls)
	return packet{name, build(append([]header{ethernet(layers.EthernetTypeIPv6), ip}, ls...)...)}
}

// tcp is a TCP header with the flags of nmap's letters: F S R P A U E C.
func tcp(sport, dport uint16, flags string, opts ...layers.TCPOption) *layers.TCP {
	has := func(c string) bool { return strings.Contains(flags, c) }
	return &layers.TCP{
		SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), Seq: 1000, Window: 1024,
		FIN: has("F"), SYN: has("S"), RST: has("R"), PSH: has("P"), ACK: has("A"), URG: has("U"), ECE: has("E"), CWR: has("C"),
		Options: opts,
	}
}

func udp(sport, dport uint16) *layers.UDP {
	return &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
}

func icmp(kind, code uint8) *layers.ICMPv4 {
	return &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, code), Id: 1, Seq: 1}
}

func icmp6(kind, code uint8) *layers.ICMPv6 {
	return &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, code)}
}

// ports are the first four bytes of SCTP, DCCP and UDP-Lite, and 28 more.
func ports(sport, dport uint16) header {
	b := make([]byte, 32)
	binary.BigEndian.PutUint16(b, sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	return raw(b...)
}

// transport is the bytes of a transport header between the peer and the host.
func transport(l header, more ...byte) []byte {
	ip := &layers.IPv4{SrcIP: net.ParseIP(labtest.PeerIPv4), DstIP: net.ParseIP(labtest.HostIPv4), Protocol: layers.IPProtocolTCP}
	checksummed(ip, []header{l})
	return build(l, raw(more...))
}

// fragment makes an IPv4 fragment of a packet: its offset in units of 8 bytes,
// and whether more follow.
func fragment(offset uint16, more bool) func(*layers.IPv4) {
	return func(ip *layers.IPv4) {
		ip.FragOffset = offset
		if more {
			ip.Flags = layers.IPv4MoreFragments
		}
	}
}

// fragment6 is IPv6's fragment header in front of what it carries.
func fragment6(next layers.IPProtocol, offset uint16, more bool, b []byte) header {
	h := []byte{byte(next), 0, 0, 0, 0, 0, 0, 9}
	v := offset << 3
	if more {
		v |= 1
	}
	binary.BigEndian.PutUint16(h[2:], v)
	return raw(append(h, b...)...)
}

// options6 is an IPv6 extension header of 8 bytes that says nothing: a
// hop-by-hop or destination options header with padding.
func options6(next layers.IPProtocol, b []byte) header {
	return raw(append([]byte{byte(next), 0, 1, 4, 0, 0, 0, 0}, b...)...)
}

// to readdresses an IPv4 packet.
func to(addr string) func(*layers.IPv4) {
	return func(ip *layers.IPv4) { ip.DstIP = net.ParseIP(addr) }
}

func from(addr string) func(*layers.IPv4) {
	return func(ip *layers.IPv4) { ip.SrcIP = net.ParseIP(addr) }
}

// from6 and to6 readdress an IPv6 packet.
func to6(addr string) func(*layers.IPv6) {
	return func(ip *layers.IPv6) { ip.DstIP = net.ParseIP(addr) }
}

func from6(addr string) func(*layers.IPv6) {
	return func(ip *layers.IPv6) { ip.SrcIP = net.ParseIP(addr) }
}

func mustIP(s string) net.IP { return net.ParseIP(s) }

// between replaces a frame's hardware addresses.
func (p packet) between(src, dst string) packet {
	f := append([]byte(nil), p.frame...)
	copy(f, mac(dst))
	copy(f[6:], mac(src))
	return packet{p.name + ", from " + src + " to " + dst, f}
}
