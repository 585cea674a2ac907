package packettest

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// In iptables' own tables the targets are the kernel's, as iptables-nft writes
// them, and do what legacy's do.
func TestTargetsAsIptables(t *testing.T) {
	t.Parallel()
	for f, groups := range map[nf.Family][]group{
		nf.IPv4: {{"marks", marks}, {"REJECT", rejections}, {"TCPMSS", segmentSizes}, {"NAT", translations}, {"random NAT", randomTranslations}, {"untracked", untracked}, {"CT", zones}, {"shifted DNAT", shifted}},
		nf.IPv6: {{"REJECT", rejections6}, {"TCPMSS", segmentSizes6}, {"NAT", translations6}},
	} {
		all := plain(t, f)
		for _, g := range groups {
			for _, n := range g.trials(t) {
				t.Run(f.String()+" "+g.name+", "+n.name, func(t *testing.T) {
					n.needs(t)
					n.family = f
					n.through(t, all)
				})
			}
		}
	}
}

// Zones by number, which are native in our own tables.
func TestZones(t *testing.T) {
	t.Parallel()
	all := sides(t, nf.IPv4)
	for _, n := range zones(t)[:3] {
		t.Run(n.name, func(t *testing.T) { n.through(t, all) })
	}
}

// zones are one connection that is tracked in one zone on the way in, and looked
// for in another on the way out; the last of them are of iptables' own tables
// alone.
func zones(*testing.T) (trials []named) {
	for _, ct := range []string{"--zone 5", "--zone-orig 5", "--zone-reply 5", "--zone mark", "--zone-orig mark", "--zone-orig 5 --zone-reply 6", "--ctevents new,destroy", "--expevents new --zone 7"} {
		n := named{ct, trial{rules: []string{
			"-t raw -A PREROUTING -i eth0 -p udp -j CT " + ct, "-t raw -A PREROUTING", "-m conntrack --ctstate NEW", "-m conntrack --ctstate ESTABLISHED", "-m conntrack --ctstate UNTRACKED",
			"-A OUTPUT -m conntrack --ctstate NEW", "-A OUTPUT -m conntrack --ctstate ESTABLISHED", "-A OUTPUT -m conntrack --ctdir REPLY", "-m conntrack --ctdir ORIGINAL",
		}, do: func(w *world) {
			w.serving(w.host, "udp", at(labtest.HostIPv4, 53), func() { w.connects(w.peer, "udp", at(labtest.HostIPv4, 53), lab.Open) })
		}}}
		if ct == "--zone-reply 5" { // whose questions stay unanswered, by either
			n.do, n.frames = nil, []packet{datagram(9), datagram(9), datagram(10)}
		}
		trials = append(trials, n)
	}
	return trials
}

// A range of ports is moved to another, which nf_tables has no form of.
func shifted(*testing.T) []named {
	frames := []packet{syn(1000), syn(1003), syn(1009), syn(1010), datagram(1004)}
	return []named{
		{"onto another host", trial{frames: frames, forwarded: true, rules: append([]string{"-t nat -A PREROUTING -p tcp --dport 1000:1009 -j DNAT --to-destination " + farIPv4 + ":2000-2009/1000"}, natted...)}},
		{"of this host", trial{frames: frames, rules: append([]string{"-t nat -A PREROUTING -p udp -j DNAT --to-destination :2000-2009/1000", "-p udp --dport 2004"}, natted...)}},
	}
}
