package packettest

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Every match, by the examples of all extensions and the rules below, counts the
// packets that iptables-legacy's counts: before routing, on the way in and on
// the way through.
func matches(t *testing.T) []named  { return matchesOf(t, nf.IPv4, ipv4Packets()) }
func matches6(t *testing.T) []named { return matchesOf(t, nf.IPv6, ipv6Packets()) }

func matchesOf(t *testing.T, f nf.Family, packets []packet) []named {
	rules := everywhere(append(countingRules(f), exampleRules(t, f, false)...))
	// Where connections are tracked the kernel puts fragments together before any
	// rule sees them, so that those that look at the connection are on their own.
	tracked := append(exampleRules(t, f, true), countingRules(f)...)
	for _, s := range []string{"INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "NEW,ESTABLISHED", "INVALID,UNTRACKED"} {
		for _, not := range []string{"", "! "} {
			tracked = append(tracked, "-m state "+not+"--state "+s, "-m conntrack "+not+"--ctstate "+s,
				"-A OUTPUT -m conntrack "+not+"--ctstate "+s, "-A FORWARD -m state "+not+"--state "+s,
				"-t raw -A PREROUTING -m conntrack "+not+"--ctstate "+s, "-t mangle -A PREROUTING -m conntrack "+not+"--ctstate "+s)
		}
	}
	return []named{
		{"of packets", trial{rules: rules, frames: packets}},
		{"of connections", trial{rules: tracked, frames: packets}},
	}
}

// tracking are the matches that make the kernel track connections, or put
// fragments together.
var tracking = []string{"conntrack", "state", "connmark", "helper", "socket", "connbytes", "connlabel"}

// exampleRules are the rules of all matches' examples for a family, without
// their targets: those that track connections, or the others.
func exampleRules(t *testing.T, f nf.Family, tracked bool) (rules []string) {
	files := exttest.LoadFrom(t, "../../rule/match/testdata")
	if len(files) == 0 {
		t.Fatal("no examples were found")
	}
	for _, file := range files {
		// What is ours alone iptables does not know, what it saves of cluster it does
		// not read, limits and connlimit count with the clock, and any processor may do
		// the work.
		if slices.Contains(tracking, file.Name) != tracked || slices.Contains([]string{"nft", "xt", "limit", "hashlimit", "cpu", "cluster", "connlimit"}, file.Name) {
			continue
		}
		for _, b := range file.Blocks {
			if b.Refused() || b.Iptables != "" || b.Legacy != "" || !b.Family.Has(f) {
				continue // Legacy: see TestRulesThatIptablesNFTWidens
			}
			rs, err := rule.ParseLine(b.Args, f)
			if err != nil {
				continue // the extension's own tests say so, or it is for the other family
			}
			for _, r := range rs {
				r := rule.New(target.None, slices.Collect(r.Matches())...).In(f)
				if only := func(m match.Match) bool { _, ok := m.(match.Version); return ok }; slices.ContainsFunc(slices.Collect(r.Matches()), only) {
					continue
				}
				if strings.Contains(r.String(), "--mode random") {
					continue // not the same twice
				}
				if strings.Contains(r.String(), "--accept-local") {
					continue // only in iptables' own tables: see TestReversePath
				}
				if strings.Count(r.String(), "--rateest-lt") > 1 {
					continue // what iptables prints of two rates it cannot read again
				}
				line := "-t " + b.Table + " -A " + b.Chain + " " + r.String()
				if !slices.Contains(rules, line) {
					rules = append(rules, line)
				}
			}
		}
	}
	return rules
}

// everywhere adds to each rule of INPUT its like in raw's PREROUTING, where
// fragments are still to be seen, and in FORWARD.
func everywhere(rules []string) []string {
	out := slices.Clone(rules)
	for _, r := range rules {
		args, ok := strings.CutPrefix(r, "-t filter -A INPUT ")
		if !ok && strings.HasPrefix(r, "-t ") {
			continue
		}
		if !ok {
			args = r
		}
		out = append(out, "-A FORWARD "+args)
		if !strings.Contains(args, "-o ") && !strings.Contains(args, "--limit-iface") && !strings.Contains(args, "-m realm") {
			out = append(out, "-t raw -A PREROUTING "+args)
		}
	}
	return out
}

// countingRules are rules for the limits of every match that needs no
// connection, beyond the examples.
func countingRules(f nf.Family) []string {
	rules := []string{
		"", "-i eth0", "! -i eth0", "-i eth+", "-i et+", "! -i et+", "-i eth", "-i eth00", "-i lo", "! -i lo", "-i e+",
		"-p tcp", "! -p tcp", "-p udp", "! -p udp", "-p 253", "! -p 253", "-p 132", "-p 255",
		"-p tcp -m tcp", "-p udp -m udp", "-p tcp --dport 0", "-p tcp --dport 65535", "-p tcp --dport 0:65534", "-p tcp ! --dport 0:65534",
		"-p tcp --sport 1024:", "-p tcp --sport :1023", "-p tcp ! --sport 40000 ! --dport 80", "-p tcp ! --sport 22 ! --dport 22",
		"-p tcp --sport 5 --dport 6", "-p tcp ! --sport 5 --dport 6", "-p udp ! --sport 1000:2000 ! --dport 53",
		"-p udp --dport 53", "-p udp ! --dport 53", "-p udp --sport 1000:1000",
		"-p tcp --syn", "-p tcp ! --syn", "-p tcp --tcp-flags ALL NONE", "-p tcp --tcp-flags ALL ALL", "-p tcp ! --tcp-flags ALL SYN",
		"-p tcp --tcp-flags SYN,ACK SYN,ACK", "-p tcp --tcp-flags FIN FIN", "-p tcp ! --tcp-flags RST RST", "-p tcp --tcp-flags NONE NONE",
		"-p tcp --tcp-flags SYN,RST SYN", "-p tcp --tcp-flags SYN ACK", "-p tcp ! --tcp-flags SYN ACK",
		"-p tcp --tcp-option 2", "-p tcp ! --tcp-option 2", "-p tcp --tcp-option 8", "-p tcp --tcp-option 8 --dport 22",
		"-p tcp -m multiport --dports 22,80,443", "-p tcp -m multiport ! --dports 22,80,443", "-p tcp -m multiport --sports 40000",
		"-p udp -m multiport --dports 53,1000:2000", "-p udp -m multiport ! --dports 53,1000:2000", "-p tcp -m multiport --ports 22,65535",
		"-p tcp -m multiport ! --ports 22,65535", "-p sctp -m multiport --dports 80", "-p dccp -m multiport --dports 80",
		"-p udplite -m multiport ! --dports 80", "-p 132 -m multiport ! --dports 22,80",
		"-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,22,79,80,443,65534,65535", "-p tcp -m multiport --sports 0:1023,65535",
		"-m mark --mark 0", "-m mark ! --mark 0", "-m mark --mark 0/1", "-m mark --mark 1/1",
		"-m mac --mac-source 02:00:00:00:01:02", "-m mac ! --mac-source 02:00:00:00:01:02", "-m mac --mac-source 00:11:22:33:44:55",
		"-m pkttype --pkt-type unicast", "-m pkttype ! --pkt-type unicast", "-m pkttype --pkt-type broadcast", "-m pkttype --pkt-type multicast",
		"-m length --length 0:65535", "-m length --length 28", "-m length --length 100:", "-m length ! --length 100:1400", "-m length --length 1500",
		"-m limit --limit 1/day --limit-burst 1", "-m limit --limit 1/hour --limit-burst 7",
	}
	if f == nf.IPv4 {
		return append(rules, countingRules4...)
	}
	return append(rules, countingRules6...)
}

var countingRules4 = []string{
	"-f", "! -f", "-p tcp -f", "! -f -p tcp", "-f -p udp", "-s 10.0.0.0/8", "! -s 10.0.0.0/8", "-s 10.0.0.0/31", "-s 0.0.0.1/0.0.0.255",
	"! -s 192.168.1.102", "-d 192.168.1.101", "! -d 192.168.1.101", "-d 192.168.1.255", "-d 224.0.0.0/4", "-s 128.0.0.0/1", "! -s 0/0", "-s 0/0",
	"-s 10.0.0.9/255.0.0.255", "-p icmp", "-p icmp -m icmp --icmp-type any", "-p icmp --icmp-type 8", "-p icmp ! --icmp-type 8", "-p icmp --icmp-type 3",
	"-p icmp --icmp-type 3/4", "-p icmp ! --icmp-type 3/4", "-p icmp --icmp-type 8/1", "-p icmp --icmp-type 255/255", "-p icmp --icmp-type 0",
	"-m iprange --src-range 10.0.0.1-10.0.0.9", "-m iprange ! --src-range 10.0.0.1-10.0.0.9", "-m iprange --dst-range 192.168.1.101-192.168.1.101",
	"-m iprange --src-range 0.0.0.0-255.255.255.255", "-m iprange --src-range 10.0.0.0-10.0.0.255 ! --dst-range 10.0.0.0-10.255.255.255",
	"-m ttl --ttl-eq 64", "-m ttl ! --ttl-eq 64", "-m ttl --ttl-lt 64", "-m ttl --ttl-gt 64", "-m ttl --ttl-eq 0", "-m ttl --ttl-eq 255", "-m ttl --ttl-gt 254", "-m ttl --ttl-lt 1",
	"-m addrtype --src-type UNICAST", "-m addrtype ! --src-type UNICAST", "-m addrtype --dst-type LOCAL", "-m addrtype ! --dst-type LOCAL",
	"-m addrtype --dst-type BROADCAST", "-m addrtype --dst-type MULTICAST", "-m addrtype --src-type LOCAL,UNICAST", "-m addrtype --src-type UNICAST --dst-type LOCAL",
	"-m addrtype ! --src-type UNICAST --dst-type LOCAL", "-m addrtype --dst-type LOCAL --limit-iface-in", "-m addrtype --src-type UNREACHABLE",
	"-m addrtype --dst-type BROADCAST,MULTICAST", "-m addrtype ! --dst-type BROADCAST,MULTICAST", "-m addrtype --src-type UNSPEC",
}

var countingRules6 = []string{
	"-s 2001:db8::/32", "! -s 2001:db8::/32", "-s 2001:db8::/127", "-s ::1/::ff", "! -s fd00:1::102", "-d fd00:1::101", "! -d fd00:1::101", "-d ff00::/8",
	"-s 8000::/1", "! -s ::/0", "-p ipv6-icmp", "-p icmpv6 --icmpv6-type 128", "-p icmpv6 ! --icmpv6-type 128", "-p icmpv6 --icmpv6-type 1",
	"-p icmpv6 --icmpv6-type 1/4", "-p icmpv6 ! --icmpv6-type 1/4", "-p icmpv6 --icmpv6-type 255/255", "-p icmpv6 --icmpv6-type 128/1",
	"-m iprange --src-range 2001:db8::1-2001:db8::9", "-m iprange ! --src-range 2001:db8::1-2001:db8::9", "-m iprange --dst-range fd00:1::101-fd00:1::101",
	"-m hl --hl-eq 64", "-m hl ! --hl-eq 64", "-m hl --hl-lt 64", "-m hl --hl-gt 64", "-m hl --hl-eq 0", "-m hl --hl-eq 255", "-m hl --hl-gt 254", "-m hl --hl-lt 1",
	"-m addrtype --src-type UNICAST", "-m addrtype ! --src-type UNICAST", "-m addrtype --dst-type LOCAL", "-m addrtype ! --dst-type LOCAL",
	"-m addrtype --dst-type MULTICAST", "-m addrtype --src-type UNICAST --dst-type LOCAL", "-m addrtype --dst-type LOCAL --limit-iface-in",
}
