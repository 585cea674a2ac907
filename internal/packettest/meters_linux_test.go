package packettest

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gopacket/gopacket/layers"
	"github.com/vishvananda/netlink"
)

// The matches that count, search and remember match what iptables-legacy's
// match, in our own tables and in iptables' own.
func TestMetersIPv4(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv4), ours(t, "ours as iptables", backend.Iptables, nf.IPv4, nf.IPv4))
	for _, n := range slices.Concat(meters(), searches(), ofConnections(), ofSockets()) {
		t.Run(n.name, func(t *testing.T) { n.through(t, all) })
	}
}

// And of IPv6, whose addresses and headers are longer.
func TestMetersIPv6(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv6), ours(t, "ours as iptables", backend.Iptables, nf.IPv6, nf.IPv6))
	for _, n := range meters6() {
		n.family = nf.IPv6
		t.Run(n.name, func(t *testing.T) { n.through(t, all) })
	}
}

// times are packets n times over.
func times(n int, ps ...packet) (out []packet) {
	for range n {
		out = append(out, ps...)
	}
	return out
}

// flowFrom is a datagram from one of the peer's addresses.
func flowFrom(addr string, sport, dport uint16) packet {
	return v4(fmt.Sprintf("datagram from %s, %d to %d", addr, sport, dport), layers.IPProtocolUDP, from(addr), udp(sport, dport), raw('h', 'i'))
}

func meters() []named {
	some := []packet{flowFrom(labtest.PeerIPv4, 1, 9), flowFrom(otherIPv4, 2, 9), syn(22), flowFrom(labtest.PeerIPv4, 3, 10),
		v4("TTL 9", layers.IPProtocolUDP, func(ip *layers.IPv4) { ip.TTL = 9 }, udp(1, 9))}
	var recents []string
	for _, s := range []string{"--set", "! --set", "--rcheck", "! --rcheck", "--rcheck --hitcount 3", "--rcheck --hitcount 5 --seconds 600", "--update --hitcount 8", "--rcheck --rttl",
		"--update --seconds 600 --reap", "! --update --hitcount 9", "--remove", "--rcheck", "! --remove", "--set --rdest", "--rcheck --rdest --hitcount 4"} {
		recents = append(recents, "-m recent "+s, "-m recent "+s+" --name a.b", "-m recent "+s+" --name net --mask 255.255.255.0", "-p tcp -m recent "+s+" --name tcp")
	}
	var hashes []string
	for i, s := range []string{"upto 1/hour --hashlimit-burst 3", "above 1/hour --hashlimit-burst 3", "upto 2/hour", "above 2/hour --hashlimit-mode srcip", "upto 3/hour --hashlimit-mode srcip,srcport",
		"upto 1/hour --hashlimit-mode dstport --hashlimit-burst 1", "above 1/hour --hashlimit-mode dstip,dstport", "upto 1/hour --hashlimit-mode srcip --hashlimit-srcmask 24", "upto 1/hour --hashlimit-mode srcip --hashlimit-srcmask 0",
		"upto 1/hour --hashlimit-mode dstip --hashlimit-dstmask 8 --hashlimit-htable-size 16 --hashlimit-htable-max 2", "above 16b/s --hashlimit-burst 160b", "upto 16b/s --hashlimit-burst 1kb --hashlimit-mode srcip",
		"above 1000000/sec --hashlimit-rate-match", "upto 1000000/sec --hashlimit-rate-match --hashlimit-mode srcip --hashlimit-rate-interval 60"} {
		hashes = append(hashes, fmt.Sprintf("-m hashlimit --hashlimit-%s --hashlimit-name t%d", s, i))
	}
	return []named{
		{"recent sets, checks, updates, counts and removes", trial{rules: recents, frames: times(3, some...)}},
		{"hashlimit's bursts, by address, port and neither", trial{rules: hashes, frames: times(4, some...)}},
		{"quota, up to the last byte that fits, and over", trial{frames: times(4, some...), rules: []string{
			"-m quota --quota 0", "-m quota ! --quota 0", "-m quota --quota 30", "-m quota --quota 60", "-m quota --quota 61", "-m quota ! --quota 100", "-m quota --quota 1000",
			"-p udp -m quota --quota 90 -j ACCEPT", "-m quota ! --quota 18446744073709551615", "-m quota --quota 9223372036854775807", ""}}},
		{"time, before, within and after", trial{frames: some, rules: []string{
			"-m time", "-m time --datestart 2020", "-m time --datestop 2020", "-m time --datestart 2020 --datestop 2037", "-m time --datestart 2037-12-31", "-m time --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun",
			"-m time --timestart 12:00 --timestop 12:00", "-m time --monthdays 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31 --kerneltz",
			"-m time --timestart 0:0:1 --timestop 0:0 --contiguous"}}},
		{"cpu: on one of them", trial{frames: some, rules: []string{"-m cpu --cpu 4095", "-m cpu ! --cpu 4095", "-m cpu --cpu 4294967295"}}},
	}
}

// The groups of the interfaces, which are there before the rules are: the kernel
// tells its IPv6 neighbours of a change, and they are counted in a table for both.
func TestInterfaceGroups(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv4), ours(t, "ours as iptables", backend.Iptables, nf.IPv4, nf.IPv4))
	for _, s := range all {
		s.groups(5, 0x13)
	}
	trial{frames: []packet{syn(22), toFar(1, 2), toFarUDP(3, 4)}, rules: []string{
		"-m devgroup --src-group 5", "-m devgroup ! --src-group 5", "-m devgroup --src-group 0", "-m devgroup --src-group 4/4", "-m devgroup ! --src-group 7/3", "-m devgroup --src-group 0/0",
		"-A FORWARD -m devgroup --dst-group 0x13", "-A FORWARD -m devgroup --src-group 5 --dst-group 3/0xf", "-A FORWARD -m devgroup --src-group 5 ! --dst-group 3/0xf", "-A FORWARD -m devgroup ! --dst-group 3",
		"-t mangle -A POSTROUTING -m devgroup --dst-group 0x13", "-t raw -A PREROUTING -m devgroup ! --src-group default", "-A FORWARD -m devgroup --src-group 7/5", "-A FORWARD -m devgroup ! --src-group 7/5"}}.through(t, all)
}

// groups puts the host's interfaces into groups.
func (w *world) groups(in, out int) {
	w.t.Helper()
	w.must(w.host.Do(func() error {
		for name, group := range map[string]int{"eth0": in, "eth1": out} {
			link, err := netlink.LinkByName(name)
			if err == nil {
				err = netlink.LinkSetGroup(link, group)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

func searches() []named {
	text := func(name, s string) packet {
		return v4(name, layers.IPProtocolUDP, nil, udp(1, 9), raw([]byte(s)...))
	}
	frames := []packet{text("a request", "GET /index.html"), text("in small letters", "get /index.html"), text("bytes", "\x00\xff\r\n|\\\"'"), text("at the end", "xxxxxxxxxxGET"),
		text("nearly", "GEGEGE GE T"), text("nothing", ""), text("over and over", "aaaaaaaaaab"), syn(22), syn(80), v4("a later fragment", layers.IPProtocolUDP, fragment(100, false), raw([]byte("GET /x")...)),
		v4("with options", layers.IPProtocolTCP, func(ip *layers.IPv4) {
			ip.Options = []layers.IPv4Option{{OptionType: 1}, {OptionType: 1}, {OptionType: 1}, {OptionType: 0}}
		}, tcp(1, 22, "S"))}
	var strings []string
	for _, algo := range []string{"bm", "kmp"} {
		for _, s := range []string{"--string GET", "! --string GET", "--string GET --icase", "--string \"GET /\" --from 28", "--string GET --from 29", "--string GET --to 28", "--string GET --to 27",
			"--string GET --from 38 --to 38", "--hex-string \"|0d 0a|\"", "! --hex-string \"|00|\"", "--string aab", "--string \"\\\"'\"", "--hex-string \"G|45|T\" --icase"} {
			strings = append(strings, "-m string --algo "+algo+" "+s)
		}
	}
	return []named{
		{"string finds text where it may be", trial{rules: everywhere(strings), frames: frames}},
		{"u32 goes where the header says", trial{frames: frames, rules: everywhere([]string{
			"-m u32 --u32 6&0xFF=17", "-m u32 ! --u32 6&0xFF=17", "-m u32 --u32 0>>22&0x3C@0&0xFFFF=22", "-m u32 --u32 0>>22&0x3C@0&0xFFFF=22,80", "-m u32 --u32 0>>22&0x3C@0&0xFFFF=0:79", "-m u32 ! --u32 0>>22&0x3C@0&0xFFFF=0:79",
			"-m u32 --u32 \"6&0xFF=6&&0>>22&0x3C@12>>24&0xFF=0:255\"", "-m u32 --u32 28=0x47455420", "-m u32 ! --u32 28=0x47455420", "-m u32 --u32 1000=0", "-m u32 ! --u32 1000=0", "-m u32 --u32 8<<8>>24=17", "-m u32 --u32 0>>24=0x45:0x46"})}},
		{"bpf decides", trial{frames: frames, rules: everywhere([]string{
			`-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"`, `-m bpf --bytecode "1,6 0 0 1"`, `-m bpf --bytecode "1,6 0 0 0"`, `-m bpf --bytecode "4,48 0 0 9,21 0 1 17,6 0 0 65535,6 0 0 0"`,
			`-m bpf --bytecode "5,177 0 0 0,72 0 0 2,21 0 1 22,6 0 0 1,6 0 0 0"`})}},
	}
}

func ofConnections() []named {
	flows := times(3, flowFrom(labtest.PeerIPv4, 1, 9), flowFrom(otherIPv4, 2, 9), flowFrom(labtest.PeerIPv4, 3, 9), flowFrom(otherIPv4, 4, 53), toFarUDP(5, 53), ping(1))
	var limits, bytes, labels []string
	for _, s := range []string{"--connlimit-above 0", "--connlimit-upto 1", "--connlimit-above 1", "--connlimit-above 2 --connlimit-mask 24", "--connlimit-upto 3 --connlimit-mask 0", "--connlimit-above 1 --connlimit-daddr",
		"! --connlimit-above 2 --connlimit-daddr --connlimit-mask 8", "--connlimit-above 4294967295"} {
		limits = append(limits, "-m connlimit "+s, "-A FORWARD -m connlimit "+s, "-p udp -m connlimit "+s)
	}
	for _, of := range []string{"packets", "bytes", "avgpkt"} {
		for _, dir := range []string{"original", "reply", "both"} {
			for _, n := range []string{"0", "1", "2", "2:2", "1:2", "29:31", "60", "! 1:2", "! 30:60", "! 2"} {
				not := ""
				if n[0] == '!' {
					not, n = "! ", n[2:]
				}
				bytes = append(bytes, "-m connbytes "+not+"--connbytes "+n+" --connbytes-dir "+dir+" --connbytes-mode "+of)
			}
		}
	}
	for _, s := range []string{"--label 5", "! --label 5", "--label 0", "! --label 127", "--label 127"} {
		labels = append(labels, "-m connlabel "+s, "-A FORWARD -m connlabel "+s, "-t raw -A PREROUTING -m connlabel "+s)
	}
	labels = slices.Concat(labels, []string{"-p udp --dport 53 -m connlabel --label 5 --set", "-m connlabel ! --label 127 --set", "-A FORWARD -m connlabel --label 0 --set"}, labels)
	return []named{
		{"connlimit counts connections, by address and network", trial{rules: limits, frames: flows}},
		{"connbytes counts packets and bytes, there and back", trial{rules: bytes, frames: flows}},
		{"connlabel sets labels and finds them", trial{rules: labels, frames: flows}},
		{"cluster shares connections out", trial{frames: flows, rules: []string{
			"-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 0xdeadbeef", "-m cluster --cluster-total-nodes 2 --cluster-local-node 2 --cluster-hash-seed 0xdeadbeef",
			"-m cluster --cluster-total-nodes 2 ! --cluster-local-node 1 --cluster-hash-seed 5", "-m cluster --cluster-total-nodes 7 --cluster-local-nodemask 0x15 --cluster-hash-seed 9",
			"-A FORWARD -m cluster --cluster-total-nodes 3 --cluster-local-node 2 --cluster-hash-seed 1"}}},
	}
}

func ofSockets() []named {
	return []named{{"cgroup of the socket that sends", trial{do: func(w *world) {
		w.serving(w.peer, "tcp", at(labtest.PeerIPv4, 80), func() { w.connects(w.host, "tcp", at(labtest.PeerIPv4, 80), lab.Open) })
		w.connects(w.peer, "udp", at(labtest.HostIPv4, 9), lab.Closed) // an error of the kernel's
		w.must(w.peer.Ping(w.t.Context(), netip.MustParseAddr(labtest.HostIPv4)))
	}, rules: []string{"-A OUTPUT -m cgroup --cgroup 0", "-A OUTPUT -m cgroup ! --cgroup 0", "-A OUTPUT -m cgroup --cgroup 5", "-A OUTPUT -m cgroup ! --cgroup 5", "-A OUTPUT -m cgroup --path /", "-A OUTPUT -m cgroup ! --path /",
		"-m cgroup --cgroup 0", "-m cgroup ! --path /", "-t mangle -A POSTROUTING -m cgroup ! --cgroup 1"}}}}
}

func meters6() []named {
	some := times(3, v6("a datagram", layers.IPProtocolUDP, nil, udp(1, 9), raw('G', 'E', 'T')), v6("from another port", layers.IPProtocolUDP, nil, udp(2, 10)),
		v6("through", layers.IPProtocolUDP, to6(farIPv6), udp(3, 53), raw('x')), v6("a SYN", layers.IPProtocolTCP, nil, tcp(40000, 22, "S")))
	return []named{
		{"recent, by address and prefix", trial{frames: some, rules: []string{
			"-m recent --set", "-m recent --rcheck --hitcount 3", "-m recent --set --name net --mask ffff:ffff:ffff:ffff::", "-m recent --update --hitcount 5 --name net --mask ffff:ffff:ffff:ffff::", "-m recent --rcheck --name net --rdest",
			"-A FORWARD -m recent ! --set --rdest --name d", "-A FORWARD -m recent --rcheck --rdest --name d --hitcount 2"}}},
		{"hashlimit, by address, prefix and port", trial{frames: some, rules: []string{
			"-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a", "-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-srcmask 64 --hashlimit-name b",
			"-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-mode dstport,srcport --hashlimit-name c", "-A FORWARD -m hashlimit --hashlimit-above 16b/s --hashlimit-burst 160b --hashlimit-mode dstip --hashlimit-dstmask 0 --hashlimit-name d"}}},
		{"connections", trial{frames: some, rules: []string{
			"-m connlimit --connlimit-above 1", "-m connlimit --connlimit-upto 2 --connlimit-mask 64", "-m connlimit --connlimit-above 1 --connlimit-daddr --connlimit-mask 0", "-m connbytes --connbytes 2 --connbytes-dir original --connbytes-mode packets",
			"-m connlabel --label 9 --set", "-m connlabel ! --label 9", "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 7", "-m quota --quota 150"}}},
		{"what is in a packet", trial{frames: some, rules: []string{
			"-m string --algo kmp --string GET", "-m string --algo bm --string GET --from 49", "-m u32 --u32 4&0xFF00=0x1100", "-m u32 ! --u32 4>>8&0xFF=6", `-m bpf --bytecode "4,48 0 0 6,21 0 1 6,6 0 0 1,6 0 0 0"`, "-m time --datestart 2020", "-m cpu ! --cpu 4095"}}},
	}
}
