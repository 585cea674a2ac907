package packettest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gopacket/gopacket/layers"
)

// Numbers of headers that gopacket has no name for.
const protoMH = layers.IPProtocol(135)

// The matches that look into headers and extension headers count what
// ip6tables-legacy's count, in our own tables and in ip6tables' own. No rule looks
// for a protocol behind AH: see TestBehindAuthentication.
func TestHeadersIPv6(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv6), ours(t, "ours as ip6tables", backend.Iptables, nf.IPv6, nf.IPv6))
	for _, n := range []named{
		{"the chain of headers: ah, dst, hbh, frag, rt, srh, ipv6header", trial{rules: everywhere(chainRules), frames: chains()}},
		{"types of the mobility header", trial{rules: everywhere(mobilityRules), frames: mobility()}},
		{"addresses made of a card's", trial{rules: everywhere([]string{"-m eui64", "-m eui64 -p udp"}), frames: cards()}},
		{"the traffic class: dscp, tos, ecn", trial{rules: everywhere(serviceRules), frames: classes()}},
		{"behind the header: ESP, IPComp, DCCP, SCTP, TCP", trial{rules: everywhere(transportRules6), frames: transports6()}},
		{"the reverse path", trial{rules: reverse(farIPv6), frames: senders()}},
	} {
		n.family = nf.IPv6
		t.Run(n.name, func(t *testing.T) { n.through(t, all) })
	}
}

var chainRules = []string{
	"-m ah", "-m ah --ahspi 5", "-m ah ! --ahspi 5", "-m ah --ahspi 5:10", "-m ah ! --ahspi 5:10", "-m ah --ahlen 16", "-m ah ! --ahlen 16", "-m ah --ahres", "-m ah ! --ahspi 7 --ahlen 24 --ahres",
	"-m ah ! --ahlen 0",
	"-m dst", "-m dst --dst-len 8", "-m dst ! --dst-len 8", "-m dst --dst-len 16", "-m dst --dst-len 0", "-m dst --dst-opts 1", "-m dst --dst-opts 1:4", "-m dst --dst-opts 1:0", "-m dst --dst-opts 5:2,1", "-m dst --dst-opts 5,1:0",
	"-m dst --dst-opts 0", "-m dst --dst-opts 0,0,0", "-m dst ! --dst-len 16 --dst-opts 1", "-m dst --dst-opts 194",
	"-m hbh", "-m hbh --hbh-len 8", "-m hbh ! --hbh-len 8", "-m hbh --hbh-opts 5:2", "-m hbh --hbh-opts 5:2,1:0", "-m hbh --hbh-opts 1:4", "-m hbh --hbh-opts 5:3", "-m hbh --hbh-opts 5", "-m hbh ! --hbh-len 8 --hbh-opts 1",
	"-m frag", "-m frag --fragid 5", "-m frag ! --fragid 5", "-m frag --fragid 5:10", "-m frag ! --fragid 5:10", "-m frag --fraglen 99", "-m frag ! --fraglen 8", "-m frag --fragres", "-m frag --fragfirst", "-m frag --fragmore",
	"-m frag --fraglast", "-m frag --fragfirst --fragmore", "-m frag --fragid 5 --fraglast",
	"-m rt", "-m rt --rt-type 0", "-m rt ! --rt-type 0", "-m rt --rt-type 2", "-m rt --rt-type 256", "-m rt --rt-segsleft 1", "-m rt ! --rt-segsleft 1", "-m rt --rt-segsleft 0:2", "-m rt ! --rt-segsleft 0:2", "-m rt --rt-len 24", "-m rt ! --rt-len 24",
	"-m rt --rt-type 0 --rt-0-res", "-m rt --rt-type 0 --rt-0-addrs fd00:5::1", "-m rt --rt-type 0 --rt-0-addrs fd00:5::1,fd00:5::2", "-m rt --rt-type 0 --rt-0-addrs fd00:5::2 --rt-0-not-strict", "-m rt --rt-type 0 --rt-0-addrs fd00:5::2",
	"-m rt --rt-type 0 --rt-0-addrs fd00:5::1,fd00:5::2,fd00:5::3 --rt-0-not-strict", "-m rt ! --rt-type 4 ! --rt-len 40 ! --rt-segsleft 2",
	"-m srh", "-m srh --srh-next-hdr 17", "-m srh ! --srh-next-hdr 17", "-m srh --srh-hdr-len-eq 4", "-m srh --srh-hdr-len-gt 2", "-m srh --srh-hdr-len-lt 4", "-m srh ! --srh-hdr-len-lt 4 ! --srh-hdr-len-gt 4",
	"-m srh --srh-segs-left-eq 1", "-m srh ! --srh-segs-left-eq 1", "-m srh --srh-segs-left-gt 0", "-m srh --srh-segs-left-lt 1", "-m srh --srh-last-entry-eq 1", "-m srh ! --srh-last-entry-gt 0", "-m srh --srh-last-entry-lt 1",
	"-m srh --srh-tag 7", "-m srh ! --srh-tag 7", "-m srh --srh-psid fd00:5::2", "-m srh ! --srh-psid fd00:5::2/128", "-m srh --srh-nsid fd00:5::/64", "-m srh ! --srh-nsid fd00:5::1", "-m srh --srh-lsid fd00:5::1/126", "-m srh ! --srh-lsid ::/1",
	"-m ipv6header --header hop", "-m ipv6header --header hop --soft", "-m ipv6header ! --header hop --soft", "-m ipv6header --header prot", "-m ipv6header --header hop,prot", "-m ipv6header ! --header hop,prot", "-m ipv6header --header dst,prot",
	"-m ipv6header --header frag --soft", "-m ipv6header --header auth --soft", "-m ipv6header --header esp", "-m ipv6header --header none", "-m ipv6header --header route,prot --soft", "-m ipv6header ! --header none --soft", "-m ipv6header --header hop,dst,prot",
}

// link is an extension header that tells what follows.
func link(next layers.IPProtocol, rest ...byte) []byte { return append([]byte{byte(next)}, rest...) }

// chains are packets with one extension header or two, before a datagram.
func chains() (all []packet) {
	const (
		hop, route, frag, auth, dst = 0, 43, 44, 51, 60
		none, user                  = layers.IPProtocolNoNextHeader, layers.IPProtocolUDP
	)
	tail := transport6(udp(1000, 9), 1, 2, 3)
	add := func(name string, first layers.IPProtocol, parts ...[]byte) {
		all = append(all, v6(name, first, nil, raw(join(append(parts, tail)...)...)),
			v6(name+", to the far side", first, to6(farIPv6), raw(join(append(parts, tail)...)...)))
	}
	add("no extension header", user)
	for _, spi := range []uint32{0, 4, 5, 7, 10, 11, 1<<32 - 1} {
		add(fmt.Sprintf("AH %d", spi), auth, link(user, 2, 0, 0), be32(spi), be32(1), be32(0))
	}
	add("AH of 24 bytes, reserved bits set", auth, link(user, 4, 0, 1), be32(5), make([]byte, 16))
	add("AH of 24 bytes", auth, link(user, 4, 0, 0), be32(8), make([]byte, 16))
	for _, o := range [][]byte{{1, 4, 0, 0, 0, 0}, {5, 2, 0, 0, 1, 0}, {0, 0, 0, 0, 0, 0}, {0, 1, 3, 0, 0, 0}, {194, 4, 0, 1, 0, 0}, {1, 1, 0, 5, 1, 0}} {
		add(fmt.Sprintf("destination options %x", o), dst, link(user, append([]byte{0}, o...)...))
		if o[0] != 194 {
			add(fmt.Sprintf("hop-by-hop options %x", o), hop, link(user, append([]byte{0}, o...)...))
		}
	}
	add("16 bytes of destination options", dst, link(user, 1, 1, 12), make([]byte, 12))
	add("16 bytes of hop-by-hop options", hop, link(user, 1, 1, 12), make([]byte, 12))
	add("hop-by-hop and destination options", hop, link(dst, 0, 1, 4, 0, 0, 0, 0), link(user, 0, 1, 4, 0, 0, 0, 0))
	for i, f := range [][2]uint32{{0, 4}, {0, 5}, {1, 5}, {1, 11}, {400, 10}, {401, 6}, {402, 5}, {6, 7}} { // the offset and flags, the identification
		add(fmt.Sprintf("fragment %d: offset and flags %#x, number %d", i, f[0], f[1]), frag, link(user, 0), be16(uint16(f[0])), be32(f[1]))
	}
	add("fragment with a reserved byte", frag, link(user, 9), be16(0), be32(5))
	address := func(n byte) []byte { return append([]byte{0xfd, 0, 0, 5}, append(make([]byte, 11), n)...) }
	for _, typ := range []byte{0, 2, 3, 4, 255} {
		add(fmt.Sprintf("routing header of type %d", typ), route, link(user, 2, typ, 1, 0, 0, 0, 0), address(1))
	}
	add("type 0 by two", route, link(user, 4, 0, 2, 0, 0, 0, 0), address(1), address(2))
	add("type 0 by three, reserved bits set", route, link(user, 6, 0, 3, 0, 0, 0, 1), address(1), address(2), address(3))
	add("type 0 by nobody", route, link(user, 0, 0, 0, 0, 0, 0, 0))
	for _, s := range [][3]byte{{0, 1, 0}, {1, 1, 7}, {0, 0, 0}, {1, 1, 0}} { // segments left, last entry, tag
		add(fmt.Sprintf("segments: %d left, the last is %d, tag %d", s[0], s[1], s[2]), route, link(user, 4, 4, s[0], s[1], 0, 0, s[2]), address(1), address(2))
	}
	add("segments, behind options", hop, link(route, 0, 1, 4, 0, 0, 0, 0), link(user, 2, 4, 0, 0, 0, 0, 0), address(2))
	all = append(all, v6("nothing", none, nil), v6("ESP", layers.IPProtocolESP, nil, raw(make([]byte, 16)...)),
		v6("nothing behind options", hop, nil, raw(link(none, 0, 1, 4, 0, 0, 0, 0)...)))
	return all
}

var mobilityRules = []string{
	"-p mh -m mh", "-p mh -m mh --mh-type 1", "-p mh -m mh ! --mh-type 1", "-p mh -m mh --mh-type 1:3", "-p mh -m mh ! --mh-type 1:3", "-p mh -m mh --mh-type bu", "-p mh -m mh --mh-type 255", "-p mh -m mh --mh-type :", "-p mh -m mh --mh-type 7:", "",
}

// mobility are headers of each type, some that are not the last, and one that is
// cut short, which the kernel's match drops.
func mobility() (all []packet) {
	for _, typ := range []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 255} {
		all = append(all, v6(fmt.Sprintf("mobility header of type %d", typ), protoMH, nil, raw(59, 0, typ, 0, 0, 0, 0, 0)),
			v6(fmt.Sprintf("mobility header of type %d, to the far side", typ), protoMH, to6(farIPv6), raw(59, 0, typ, 0, 0, 0, 0, 0)))
	}
	return append(all, v6("not the last header", protoMH, nil, raw(17, 0, 1, 0, 0, 0, 0, 0)), v6("cut short", protoMH, nil, raw(59, 0, 1, 0)))
}

// cards are packets from addresses that are, or nearly are, the sending card's.
func cards() (all []packet) {
	for _, card := range []string{labtest.PeerMAC, "02:00:00:00:01:99"} {
		for _, a := range []string{labtest.PeerIPv6, "fd00:1::ff:fe00:102", "fd00:1::200:ff:fe00:102", "fd00:1::ff:fe00:199", "fe80::ff:fe00:102"} {
			p := v6("from "+a, layers.IPProtocolICMPv6, from6(a), icmp6(129, 0), raw(0, 1, 0, 1))
			all = append(all, p.between(card, labtest.HostMAC))
		}
	}
	return all
}

func classes() (all []packet) {
	for _, p := range services() {
		tos := p.frame[15]
		all = append(all, v6(strings.Replace(p.name, "TOS", "class", 1), layers.IPProtocolUDP, func(ip *layers.IPv6) { ip.TrafficClass, ip.FlowLabel = tos, 0xabcde }, udp(1, 9)))
	}
	return all
}

var transportRules6 = func() (rules []string) {
	for _, r := range indexRules {
		if !strings.Contains(r, "-m ah") {
			rules = append(rules, r)
		}
	}
	return append(append(append(append(rules, dccpRules...), sctpRules...), mssRules...), congestionRules...)
}()

// transports6 are the payloads of the IPv4 packets that these rules look at, the
// later fragments left out, straight behind the header and behind options.
func transports6() (all []packet) {
	for _, list := range [][]packet{indices(), dccps(), sctps(), segments(), congested()} {
		for _, p := range list {
			proto := layers.IPProtocol(p.frame[23])
			if later(p) || proto == layers.IPProtocolAH || strings.Contains(p.name, "cut short") {
				continue
			}
			all = append(all, v6(p.name, proto, nil, raw(p.frame[34:]...)),
				v6(p.name+", behind options", layers.IPProtocolIPv6Destination, nil, options6(proto, p.frame[34:])))
		}
	}
	return all
}

// senders are packets from addresses whose route is this way, another or none.
func senders() (all []packet) {
	for _, a := range []string{labtest.PeerIPv6, "fd00:1::1", farIPv6, "2001:db8::1", labtest.HostIPv6, "::1", "fe80::1", "ff02::1"} {
		for _, b := range []string{labtest.HostIPv6, farIPv6} {
			p := v6("from "+a+" to "+b, layers.IPProtocolICMPv6, func(ip *layers.IPv6) { from6(a)(ip); to6(b)(ip) }, icmp6(129, 0), raw(0, 1, 0, 1))
			all = append(all, p)
		}
	}
	return all
}
