package packettest

import (
	"net/netip"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

func at(addr string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(addr), port)
}

// connects probes a port and wants this of it.
func (w *world) connects(h *lab.Host, network string, to netip.AddrPort, want lab.State) {
	w.t.Helper()
	if got, err := h.Connect(w.t.Context(), network, to); err != nil || got != want {
		w.t.Errorf("%s to %v is %v, want %v: %v", network, to, got, want, err)
	}
}

// serving runs a server while fn runs.
func (w *world) serving(h *lab.Host, network string, on netip.AddrPort, fn func()) {
	w.t.Helper()
	srv, err := h.Echo(network, on)
	w.must(err)
	fn()
	w.must(srv.Close())
}

// Connections in either direction, a datagram and its answer, and errors that
// belong to them.
func connections(*testing.T) []named {
	var rules []string
	for _, chain := range []string{"INPUT", "OUTPUT"} {
		for _, s := range []string{"NEW", "ESTABLISHED", "RELATED", "INVALID", "RELATED,ESTABLISHED", "UNTRACKED"} {
			rules = append(rules, "-A "+chain+" -m state --state "+s, "-A "+chain+" -m state ! --state "+s, "-A "+chain+" -m conntrack --ctstate "+s)
		}
		for _, s := range []string{"SEEN_REPLY", "ASSURED", "CONFIRMED", "EXPECTED", "NONE"} {
			rules = append(rules, "-A "+chain+" -m conntrack --ctstatus "+s, "-A "+chain+" -m conntrack ! --ctstatus "+s)
		}
		rules = append(rules, "-A "+chain+" -m conntrack --ctdir ORIGINAL", "-A "+chain+" -m conntrack --ctdir REPLY",
			"-A "+chain+" -m conntrack --ctexpire 0:4294967295", "-A "+chain+" -m conntrack ! --ctexpire 0", "-A "+chain+" -m conntrack --ctproto 6",
			"-A "+chain+" -p tcp -m conntrack --ctproto 6 --ctorigdstport 25", "-A "+chain+" -p tcp -m conntrack ! --ctorigdstport 25",
			"-A "+chain+" -m conntrack --ctorigsrc "+labtest.PeerIPv4, "-A "+chain+" -m conntrack ! --ctreplsrc "+labtest.PeerIPv4,
			"-A "+chain+" -m conntrack --ctstate ESTABLISHED --ctdir REPLY", "-A "+chain+" -m conntrack --ctstate NEW --ctorigdst "+labtest.HostIPv4)
	}
	return []named{{"each of them", trial{rules: rules, do: func(w *world) {
		w.serving(w.host, "tcp", at(labtest.HostIPv4, 25), func() { w.connects(w.peer, "tcp", at(labtest.HostIPv4, 25), lab.Open) })
		w.serving(w.host, "udp", at(labtest.HostIPv4, 53), func() { w.connects(w.peer, "udp", at(labtest.HostIPv4, 53), lab.Open) })
		w.serving(w.peer, "tcp", at(labtest.PeerIPv4, 80), func() { w.connects(w.host, "tcp", at(labtest.PeerIPv4, 80), lab.Open) })
		w.connects(w.host, "udp", at(labtest.PeerIPv4, 9), lab.Closed) // an error comes back
		w.connects(w.peer, "udp", at(labtest.HostIPv4, 9), lab.Closed) // an error goes out
		w.connects(w.peer, "tcp", at(labtest.HostIPv4, 9), lab.Closed)
		w.must(w.host.Ping(w.t.Context(), netip.MustParseAddr(labtest.PeerIPv4)))
		w.must(w.peer.Ping(w.t.Context(), netip.MustParseAddr(labtest.HostIPv4)))
	}}}}
}

// Packets with an owner, and packets that the kernel sends by itself.
func owners(*testing.T) []named  { return ownersOf(labtest.HostIPv4, labtest.PeerIPv4) }
func owners6(*testing.T) []named { return ownersOf(labtest.HostIPv6, labtest.PeerIPv6) }

func ownersOf(host, peer string) []named {
	var rules []string
	for _, o := range []string{"--uid-owner 0", "! --uid-owner 0", "--uid-owner 0-1000", "! --uid-owner 1-4294967294", "--gid-owner 0", "! --gid-owner 0",
		"--gid-owner 1-4294967294", "--socket-exists", "! --socket-exists", "--uid-owner 0 --gid-owner 0", "--uid-owner 0 ! --gid-owner 0", "! --uid-owner 1"} {
		for _, where := range []string{"-A OUTPUT", "-A OUTPUT -o eth0", "-t mangle -A POSTROUTING", "-t raw -A OUTPUT"} {
			rules = append(rules, where+" -m owner "+o)
		}
	}
	return []named{{"of every kind", trial{rules: rules, do: func(w *world) {
		w.serving(w.peer, "tcp", at(peer, 80), func() { w.connects(w.host, "tcp", at(peer, 80), lab.Open) })
		w.serving(w.host, "udp", at(host, 53), func() { w.connects(w.peer, "udp", at(host, 53), lab.Open) })
		w.connects(w.host, "udp", at(peer, 9), lab.Closed)
		w.connects(w.peer, "tcp", at(host, 9), lab.Closed) // a reset without a socket
		w.connects(w.peer, "udp", at(host, 9), lab.Closed) // an error of the kernel's
		w.must(w.peer.Ping(w.t.Context(), netip.MustParseAddr(host)))
	}}}}
}

// What this host sends, through every hook that it passes, and translated.
func output(*testing.T) []named {
	send := func(w *world) {
		w.serving(w.peer, "tcp", at(labtest.PeerIPv4, 80), func() { w.connects(w.host, "tcp", at(labtest.PeerIPv4, 80), lab.Open) })
		w.serving(w.far, "udp", at(farIPv4, 53), func() { w.connects(w.host, "udp", at(farIPv4, 53), lab.Open) })
		w.connects(w.host, "udp", at(labtest.PeerIPv4, 9), lab.Closed)
		w.connects(w.host, "tcp", at("127.0.0.1", 9), lab.Closed)
	}
	var rules []string
	for _, where := range []string{"-A OUTPUT", "-t mangle -A OUTPUT", "-t raw -A OUTPUT", "-t mangle -A POSTROUTING", "-A INPUT", "-t mangle -A PREROUTING"} {
		rules = append(rules, where, where+" -p tcp", where+" -p tcp --syn", where+" -p tcp --dport 80", where+" -p tcp ! --sport 80", where+" -m pkttype --pkt-type unicast",
			where+" -m addrtype --src-type LOCAL", where+" -m addrtype --dst-type LOCAL", where+" -m ttl --ttl-eq 64", where+" -m length --length 60", where+" -m mark --mark 0x1")
	}
	for _, where := range []string{"-A INPUT", "-t mangle -A PREROUTING"} {
		rules = append(rules, where+" -m mac --mac-source 02:00:00:00:01:02", where+" -m mac ! --mac-source 02:00:00:00:01:02")
	}
	for _, i := range []string{"lo", "eth0", "eth1", "eth+", "lo1", "l+"} {
		rules = append(rules, "-A OUTPUT -o "+i, "-A OUTPUT ! -o "+i, "-A INPUT -i "+i, "-A INPUT ! -i "+i, "-t mangle -A POSTROUTING -o "+i, "-t mangle -A PREROUTING ! -i "+i)
	}
	return []named{
		{"hooks and interfaces", trial{rules: rules, do: send}},
		{"MARK in OUTPUT", trial{do: send, rules: []string{"-t mangle -A OUTPUT -p tcp -j MARK --set-mark 1", "-A OUTPUT -m mark --mark 1", "-A OUTPUT -m mark ! --mark 1",
			"-t mangle -A POSTROUTING -m mark --mark 1", "-A INPUT -m mark --mark 1"}}},
		{"DNAT in OUTPUT", trial{rules: []string{"-t nat -A OUTPUT -d 198.51.100.5 -p tcp -j DNAT --to-destination " + farIPv4 + ":80", "-t nat -A OUTPUT", "-A OUTPUT -d " + farIPv4,
			"-A OUTPUT -m conntrack --ctstate DNAT", "-A INPUT -m conntrack --ctstate DNAT", "-A INPUT -s " + farIPv4}, do: func(w *world) {
			w.serving(w.far, "tcp", at(farIPv4, 80), func() { w.connects(w.host, "tcp", at("198.51.100.5", 8080), lab.Open) })
		}}},
		{"REDIRECT in OUTPUT", trial{rules: []string{"-t nat -A OUTPUT -p tcp --dport 81 -j REDIRECT --to-ports 9", "-A INPUT -i lo -p tcp --dport 9", "-A OUTPUT -o lo", "-A OUTPUT -o eth0"}, do: func(w *world) {
			w.connects(w.host, "tcp", at(labtest.PeerIPv4, 81), lab.Closed)
		}}},
		{"REJECT in OUTPUT", trial{rules: []string{"-A OUTPUT -p tcp --dport 81 -j REJECT --reject-with tcp-reset", "-A OUTPUT -p udp --dport 9 -j REJECT", "-A OUTPUT", "-A INPUT"}, do: func(w *world) {
			w.connects(w.host, "tcp", at(labtest.PeerIPv4, 81), lab.Closed)
			w.connects(w.host, "udp", at(labtest.PeerIPv4, 9), lab.Filtered) // the sender hears EPERM
		}}},
	}
}
