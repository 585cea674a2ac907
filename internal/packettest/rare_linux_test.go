package packettest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gopacket/gopacket/layers"
)

// What matches and targets do that keep something of a packet, or hand it to
// somebody: sets, estimators, timers, accounts, hashes, proxies.
func TestKeeping(t *testing.T) {
	t.Parallel()
	four, asIptables := sides(t, nf.IPv4), plain(t, nf.IPv4)
	for _, g := range []struct {
		name   string
		sides  []*side
		trials []named
	}{
		{"everywhere", append(four, asIptables[1]), slices.Concat(setTrials(), hashTrials(), rateTrials(), proxyTrials(), socketTrials())},
		{"as iptables", asIptables, tiedTrials()},
	} {
		for _, n := range g.trials {
			t.Run(g.name+", "+n.name, func(t *testing.T) { n.through(t, g.sides) })
		}
	}
}

// setTrials are rules that look into ipsets, and that change them: what they put in
// is what the next rule finds.
func setTrials() []named {
	var looks []string
	for _, set := range []string{"hosts src", "others src", "others dst", "nets src", "services dst,dst", "ports dst", "both src"} {
		looks = append(looks, "-m set --match-set "+set, "-m set ! --match-set "+set)
	}
	frames := []packet{syn(22), datagram(22), datagram(9), ping(1),
		v4("from 10.0.0.9", layers.IPProtocolUDP, from("10.0.0.9"), udp(5, 6)), v4("from 10.0.0.10", layers.IPProtocolUDP, from("10.0.0.10"), udp(5, 6))}
	return []named{
		{"a set is looked into", trial{frames: frames, rules: append(looks,
			"-m set --match-set nets src --return-nomatch", "-m set ! --match-set nets src --return-nomatch", "-m set --match-set services dst")}},
		{"SET adds what the next rule finds", trial{frames: frames, rules: append([]string{
			"-m set --match-set others src", "-p udp --dport 9 -j SET --add-set others src --exist", "-m set --match-set others src", "-m set --match-set both src"}, looks...)}},
		{"SET deletes", trial{frames: append(frames, frames...), rules: []string{"-m set --match-set others src",
			"-p tcp -j SET --del-set others src", "-m set --match-set others src", "-p icmp -j SET --add-set others src --timeout 0", "-m set --match-set others src"}}},
		{"SET adds an entry that times out, by two fields", trial{frames: frames, rules: []string{"-m set --match-set services src,dst",
			"-j SET --add-set services src,dst --del-set nets dst", "-m set --match-set services src,dst", "-m set ! --match-set services src,src"}}},
		{"counters of a set's entry", trial{frames: append(frames, frames...), rules: []string{
			"-m set --match-set hosts src --packets-eq 0", "-m set --match-set hosts src ! --packets-eq 1 --bytes-gt 50", "-m set --match-set hosts src ! --update-counters",
			"-m set --match-set hosts src --packets-lt 4", "-m set --match-set hosts src --packets-gt 3 --bytes-lt 10000", "-m set ! --match-set hosts src --packets-gt 3"}}},
	}
}

// hashTrials are marks that a hash gives: which of them, and by what fields.
func hashTrials() []named {
	var frames []packet
	for i := range uint16(12) {
		frames = append(frames, syn(20+i), toFar(1000+i, 80), v4(fmt.Sprint("to ESP ", i), layers.IPProtocolESP, nil, ports(i, 7)))
	}
	var trials []named
	for _, options := range []string{
		"--hmark-tuple src,dst,sport,dport,proto", "--hmark-tuple sport,dport", "--hmark-tuple spi", "--hmark-src-prefix 24 --hmark-dport-mask 0xff0f",
		"--hmark-tuple dst,dport,ct", "--hmark-tuple src --hmark-sport 0x100 --hmark-dport 1", "--hmark-proto-mask 0xff --hmark-dst-prefix 0",
	} {
		rules := []string{"-m conntrack --ctstate NEW", "-t mangle -A PREROUTING -j HMARK " + options + " --hmark-mod 8 --hmark-rnd 0xfeedcafe --hmark-offset 100"}
		for mark := range 10 {
			rules = append(rules, fmt.Sprintf("-t mangle -A PREROUTING -m mark --mark %d", 99+mark))
		}
		trials = append(trials, named{"HMARK " + options, trial{frames: frames, rules: rules}})
	}
	return trials
}

// rateTrials are estimators and timers, and accounts.
func rateTrials() []named {
	some := []packet{syn(22), datagram(9), ping(1)}
	return []named{
		{"an estimator of nothing", trial{frames: some, rules: []string{
			"-m rateest --rateest in --rateest-eq --rateest-pps 0", "-m rateest --rateest in ! --rateest-gt --rateest-bps 8bit", "-m rateest --rateest in --rateest-gt --rateest-pps 0",
			"-m rateest --rateest1 in --rateest-eq --rateest-bps --rateest2 out", "-m rateest --rateest1 in ! --rateest-eq --rateest-pps --rateest2 out",
			"-m rateest --rateest-delta --rateest in --rateest-bps1 1mbit --rateest-lt --rateest-bps2 2mbit",
			"-m rateest --rateest-delta --rateest1 in --rateest-pps1 5 --rateest-gt --rateest-pps2 4 --rateest2 out"}}},
		{"RATEEST finds a rate", trial{rules: []string{"-p udp --dport 9 -j RATEEST --rateest-name trial --rateest-interval 250ms --rateest-ewmalog 500ms", "-p udp --dport 9",
			"-p udp --dport 10 -m rateest --rateest trial --rateest-gt --rateest-pps 1", "-p udp --dport 10 -m rateest --rateest trial --rateest-gt --rateest-bps 8bit",
			"-p udp --dport 10 -m rateest --rateest trial --rateest-gt --rateest-pps 100000", "-p udp --dport 10 -m rateest --rateest trial ! --rateest-lt --rateest-bps 1gbit"},
			do: func(w *world) {
				w.send(slices.Repeat([][]byte{datagram(9).frame}, 100)...)
				time.Sleep(300 * time.Millisecond) // an interval ends
				w.send(datagram(10).frame)
			}}},
		{"IDLETIMER lets pass", trial{frames: some, rules: []string{"-p udp -j IDLETIMER --timeout 600 --label gatehouse-packets", "", "-p udp"}}},
		{"nfacct counts and matches", trial{frames: some, rules: []string{"-m nfacct --nfacct-name traffic", "-p udp -m nfacct --nfacct-name traffic", "-m nfacct --nfacct-name traffic -j DROP", ""}}},
		{"no IPsec", trial{frames: append(some, toFar(1, 2)), rules: []string{"-m policy --dir in --pol none", "-m policy --dir in --pol ipsec", "-A FORWARD -m policy --dir out --pol none",
			"-A FORWARD -m policy --dir out --pol ipsec --strict --reqid 7", "-A FORWARD -m policy --dir in --pol ipsec ! --reqid 7", "-A FORWARD -m policy --dir in --pol ipsec --proto esp --mode tunnel --tunnel-src 10.0.0.1"}}},
	}
}

// proxyTrials are handshakes in a server's place.
func proxyTrials() []named {
	return []named{{"SYNPROXY answers first, and the server gets the connection", trial{rules: []string{
		"-t raw -A PREROUTING -p tcp --dport 8080 --syn -j CT --notrack",
		"-p tcp --dport 8080 -m state --state INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460",
		"-p tcp --dport 8080 -m state --state INVALID -j DROP", "-p tcp --dport 8080 --syn", "-A OUTPUT -p tcp --sport 8080 --tcp-flags SYN,ACK SYN,ACK"},
		do: func(w *world) {
			w.must(w.host.Sysctl("net.netfilter.nf_conntrack_tcp_loose", "0"))
			w.serving(w.host, "tcp", at(labtest.HostIPv4, 8080), func() { w.connects(w.peer, "tcp", at(labtest.HostIPv4, 8080), lab.Open) })
			w.connects(w.peer, "tcp", at(labtest.HostIPv4, 8081), lab.Closed)
		}}}}
}

// socketTrials are packets with sockets and without.
func socketTrials() []named {
	var rules []string
	for _, options := range []string{"", " --nowildcard", " --transparent", " --transparent --nowildcard", " --restore-skmark"} {
		for _, proto := range []string{"", "-p tcp ", "-p udp "} {
			rules = append(rules, proto+"-m socket"+options, "-t mangle -A PREROUTING "+proto+"-m socket"+options)
		}
	}
	return []named{{"socket", trial{rules: rules, do: func(w *world) {
		w.serving(w.host, "tcp", at(labtest.HostIPv4, 25), func() { w.connects(w.peer, "tcp", at(labtest.HostIPv4, 25), lab.Open) })
		w.serving(w.host, "tcp", at("0.0.0.0", 26), func() { w.connects(w.peer, "tcp", at(labtest.HostIPv4, 26), lab.Open) })
		w.serving(w.host, "udp", at(labtest.HostIPv4, 53), func() { w.connects(w.peer, "udp", at(labtest.HostIPv4, 53), lab.Open) })
		w.connects(w.peer, "udp", at(labtest.HostIPv4, 9), lab.Closed)
	}}}}
}

// tiedTrials are targets that the kernel has for iptables' own tables only.
func tiedTrials() []named {
	some := []packet{syn(22), datagram(9), ping(1), toFar(1000, 80), toFarUDP(1000, 80)}
	return []named{
		{"SET gives packets the mark of a set's entry", trial{frames: append(some, v4("from another", layers.IPProtocolUDP, from(otherIPv4), udp(1, 2))), rules: []string{
			"-t mangle -A PREROUTING -j SET --map-set hosts src --map-mark", "-t mangle -A PREROUTING -m mark --mark 0x12/0xff", "-m mark --mark 0x12", "-m mark --mark 0",
			"-t mangle -A POSTROUTING -j SET --map-set hosts src --map-prio --map-mark --map-queue", "-t mangle -A POSTROUTING -m mark --mark 0x12"}}},
		{"TPROXY drops what no socket wants", trial{frames: some, forwarded: true, rules: []string{
			"-t mangle -A PREROUTING -p tcp --dport 80 -j TPROXY --on-port 8080 --on-ip 127.0.0.1 --tproxy-mark 1/1", "-t mangle -A PREROUTING", "-A FORWARD", "-m mark --mark 1"}}},
		{"CONNSECMARK lets pass", trial{frames: some, rules: []string{"-t mangle -A PREROUTING -j CONNSECMARK --restore", "-t mangle -A PREROUTING", "-t mangle -A FORWARD -j CONNSECMARK --save", "-t mangle -A FORWARD"}}},
		{"helper", trial{frames: some, rules: []string{"-t raw -A PREROUTING -p tcp -j CT --helper ftp", "-m helper --helper ftp", "-m helper ! --helper ftp", "-A FORWARD -m helper --helper \"\"", "-A FORWARD -m helper ! --helper \"\""}}},
	}
}

// Prefixes that are exchanged leave checksums right: what comes through is the
// same to the byte.
func TestExchangedPrefixes(t *testing.T) {
	t.Parallel()
	all := plain(t, nf.IPv6)
	reply := func(set func(*layers.IPv6)) packet {
		return v6("an echo reply", layers.IPProtocolICMPv6, set, icmp6(129, 0), raw(0, 1, 0, 1))
	}
	for _, n := range []named{
		{"SNPT", trial{frames: []packet{reply(to6(farIPv6))}, rules: []string{
			"-t mangle -A POSTROUTING -o eth1 -j SNPT --src-pfx fd00:1::/48 --dst-pfx fd00:77::/48", "-t mangle -A POSTROUTING -o eth1"}}},
		{"SNPT of 64 bits", trial{frames: []packet{reply(to6(farIPv6))}, rules: []string{
			"-t mangle -A POSTROUTING -o eth1 -j SNPT --src-pfx fd00:1::/64 --dst-pfx 2001:db8:1:2::/64"}}},
		{"DNPT", trial{frames: []packet{reply(to6("fd00:5:0:4::2")), reply(to6(farIPv6))}, rules: []string{
			"-t mangle -A PREROUTING -d fd00:5::/48 -j DNPT --src-pfx fd00:5::/48 --dst-pfx fd00:9::/48", "-A FORWARD -d " + farIPv6, "-A FORWARD"}}},
	} {
		t.Run(n.name, func(t *testing.T) {
			n.family, n.forwarded = nf.IPv6, true
			n.through(t, all)
		})
	}
}

// Where eth0 and eth1 are the ports of a bridge, packets pass iptables with them.
func TestBridged(t *testing.T) {
	t.Parallel()
	all := append(sides(t, nf.IPv4), plain(t, nf.IPv4)[1])
	for _, s := range all {
		ip := oracle.NewTool(t, s.host, "ip")
		// The host itself says nothing: no reports of the groups that it is in.
		s.must(s.host.Sysctl("net.ipv4.igmp_link_local_mcast_reports", "0"))
		s.must(s.host.Sysctl("net.ipv6.conf.all.disable_ipv6", "1"))
		s.must(s.host.Sysctl("net.ipv6.conf.default.disable_ipv6", "1"))
		ip.Must("link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
		for _, device := range []string{"eth0", "eth1"} {
			ip.Must("link", "set", device, "master", "br0")
		}
		ip.Must("link", "set", "br0", "up")
		s.must(s.host.Sysctl("net.bridge.bridge-nf-call-iptables", "1"))
	}
	var frames []packet
	for i := range byte(3) { // which nobody answers
		p := v4(fmt.Sprint("echo reply ", i), layers.IPProtocolICMPv4, to(farIPv4), icmp(0, 0), raw(make([]byte, i)...))
		frames = append(frames, p.between(labtest.PeerMAC, farMAC))
	}
	var rules []string
	for _, o := range []string{
		"--physdev-in eth0", "! --physdev-in eth0", "--physdev-in eth1", "--physdev-in eth+", "--physdev-in eth", "! --physdev-in eth+", "--physdev-out eth1",
		"! --physdev-out eth1", "--physdev-out eth0", "--physdev-is-in", "! --physdev-is-in", "--physdev-is-out", "--physdev-is-bridged", "! --physdev-is-bridged",
		"--physdev-is-bridged --physdev-in eth0 --physdev-out eth1", "--physdev-is-bridged --physdev-in eth0 ! --physdev-out eth1",
	} {
		rules = append(rules, "-A FORWARD -m physdev "+o, "-t mangle -A POSTROUTING -m physdev "+o, "-t mangle -A PREROUTING -m physdev "+o)
	}
	trial{frames: frames, rules: rules, forwarded: true}.through(t, all)
}

// A fingerprint that our own SYN packets have, in a kernel that is told of it.
func TestFingerprints(t *testing.T) {
	all := append(sides(t, nf.IPv4), plain(t, nf.IPv4)[1])
	osf := oracle.NewTool(t, all[0].host, "nfnl_osf")
	file := filepath.Join(t.TempDir(), "pf.os")
	all[0].must(os.WriteFile(file, []byte("1024:64:0:40:.:Gatehouse:1::a test\n"), 0o600))
	if r := osf.Run("-f", file); r.Exit != 0 || strings.Contains(r.Stderr, "not permitted") {
		// Fingerprints are the whole machine's, root's to load.
		labtest.Require(t, "nfnl_osf", fmt.Errorf("exit %d: %s", r.Exit, r.Stderr))
	}
	t.Cleanup(func() { osf.Run("-d", "-f", file) })
	var rules []string
	for _, o := range []string{"--genre Gatehouse", "! --genre Gatehouse", "--genre Linux", "! --genre Linux", "--genre unknown", "--genre Gatehouse --ttl 0",
		"--genre Gatehouse --ttl 1", "! --genre Gatehouse --ttl 2", "--genre Gatehouse --ttl 2"} {
		rules = append(rules, "-p tcp -m osf "+o, "-A FORWARD -p tcp -m osf "+o, "-t mangle -A PREROUTING -p tcp -m osf "+o)
	}
	frames := []packet{syn(22), toFar(1000, 80), v4("no SYN", layers.IPProtocolTCP, nil, tcp(1, 2, "A")),
		v4("TTL 63", layers.IPProtocolTCP, func(ip *layers.IPv4) { ip.TTL = 63 }, tcp(40000, 22, "S")),
		v4("TTL 65", layers.IPProtocolTCP, func(ip *layers.IPv4) { ip.TTL = 65 }, tcp(40000, 22, "S")),
		v4("with an option", layers.IPProtocolTCP, nil, tcp(40000, 22, "S", tcpOption(2, 5, 180)))}
	trial{frames: frames, rules: rules}.through(t, all)
}
