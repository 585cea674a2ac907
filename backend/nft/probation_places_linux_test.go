package nft

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/vishvananda/netlink"
)

// talk has the host and its peer call each other, so that packets pass every hook
// but forward, by the IP versions of a family.
func talk(t *testing.T, host, peer *lab.Host, f nf.Family) {
	t.Helper()
	for fam, at := range map[nf.Family][2]string{
		nf.IPv4: {labtest.HostIPv4, labtest.PeerIPv4}, nf.IPv6: {labtest.HostIPv6, labtest.PeerIPv6},
	} {
		if _, ok := fam.And(f); !ok {
			continue
		}
		for i, to := range []*lab.Host{host, peer} {
			server, err := to.Echo("tcp", netip.AddrPortFrom(netip.MustParseAddr(at[i]), 7))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := []*lab.Host{peer, host}[i].Ask(t.Context(), "tcp", server.Addr(), "hello"); err != nil {
				t.Error(err)
			}
			server.Close()
		}
	}
}

// counts are the packets of each rule in force, by its place.
func counts(t *testing.T, fw *backend.Firewall) map[string]uint64 {
	t.Helper()
	rs, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]uint64{}
	for tab := range rs.Tables() {
		for c := range tab.Chains() {
			if c.Name() == chain.Forward || c.Name() == "counts" {
				continue // nobody's way, and everybody's
			}
			for i, r := range c.Rules() {
				out[fmt.Sprintf("%s %s %d", tab.ID().Name(), c.Name(), i)] = r.Counters().Packets
			}
		}
	}
	return out
}

// all wants every rule to have counted, or none.
func all(t *testing.T, what string, n map[string]uint64, rules int, counted bool) {
	t.Helper()
	for place, packets := range n {
		if (packets > 0) != counted {
			t.Errorf("%s: rule %s has counted %d packets", what, place, packets)
		}
	}
	if len(n) != rules {
		t.Errorf("%s: %d rules, want %d", what, len(n), rules)
	}
}

// In every table, at every hook, for both IP versions, packets meet the new rules while
// they are on probation, and the old ones, which have not counted meanwhile, after it.
func TestProbationInEveryChain(t *testing.T) {
	const chains = 2 + 4 + 4 + 2 + 2 // but forward: raw, mangle, nat, filter, security
	const before, after = 2 * chains, 3 * chains
	for _, owner := range []string{"trial", backend.Iptables} {
		for _, f := range []nf.Family{nf.Both, nf.IPv4, nf.IPv6} {
			if owner == backend.Iptables && f == nf.Both {
				continue // it has no such tables
			}
			t.Run(owner+" "+f.String(), func(t *testing.T) {
				host, peer := labtest.QuietPair(t)
				fw := openFirewall(t, host, backend.Config{Owner: owner})
				apply(t, fw, everyChain(1).For(f))
				p := try(t, fw, everyChain(2).For(f), time.Minute)
				talk(t, host, peer, f)
				all(t, "on probation", counts(t, fw), after, true)
				if err := p.Extend(t.Context(), 20*time.Millisecond); err != nil {
					t.Fatal(err)
				}
				time.Sleep(40 * time.Millisecond)
				all(t, "over", counts(t, fw), before, false)
				talk(t, host, peer, f)
				all(t, "after it", counts(t, fw), before, true)

				p = try(t, fw, everyChain(2).For(f), time.Minute)
				talk(t, host, peer, f)
				tried := counts(t, fw)
				if err := p.Confirm(t.Context()); err != nil {
					t.Fatal(err)
				}
				for place, n := range counts(t, fw) {
					if n < tried[place] {
						t.Errorf("confirmed: rule %s has counted %d packets, and before %d", place, n, tried[place])
					}
				}
				holds(t, fw, everyChain(2).For(f), true)
			})
		}
	}
}

// A port that is published elsewhere on probation is back where it was.
func TestProbationOfNAT(t *testing.T) {
	to := func(port uint16) table.Ruleset {
		return table.NewRuleset(table.New(table.NAT, chain.BuiltIn(chain.Prerouting, chain.Accept,
			rule.New(target.Redirect{Ports: nf.Port(port)}, match.Dport(nf.TCP, 5000)))))
	}
	for _, at := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		host, peer := labtest.QuietPair(t)
		fw := openFirewall(t, host, backend.Config{Owner: "trial"})
		ip := netip.MustParseAddr(at)
		server := map[uint16]*lab.Server{}
		for _, port := range []uint16{5001, 5002} {
			s, err := host.Echo("tcp", netip.AddrPortFrom(ip, port))
			if err != nil {
				t.Fatal(err)
			}
			server[port] = s
		}
		reaches := func(what string, port uint16) {
			t.Helper()
			before := len(server[port].Peers())
			if _, err := peer.Ask(t.Context(), "tcp", netip.AddrPortFrom(ip, 5000), "hello"); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if len(server[port].Peers()) != before+1 {
				t.Errorf("%s: port 5000 does not lead to %d", what, port)
			}
		}
		apply(t, fw, to(5001))
		reaches("before", 5001)
		p := try(t, fw, to(5002), time.Minute)
		reaches("on probation", 5002)
		if err := p.Extend(t.Context(), 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Millisecond)
		reaches("over", 5001)
	}
}

// cut takes a host's cable out, or puts it back in.
func cut(t *testing.T, host *lab.Host, out bool) {
	t.Helper()
	err := host.Do(func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		if out {
			return netlink.LinkSetDown(link)
		}
		return netlink.LinkSetUp(link)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A host whose network is cut while a change is on probation, and that nobody can
// reach to confirm it, is back on its old rules when the network is.
func TestProbationWhileTheNetworkIsCut(t *testing.T) {
	host, peer := labtest.Pair(t)
	fw := openFirewall(t, host, backend.Config{Owner: "trial"})
	apply(t, fw, opened())
	x := flow(t, host, peer)
	p := try(t, fw, shut(), 300*time.Millisecond)
	ends := time.Now().Add(320 * time.Millisecond)
	began := x.mark()
	time.Sleep(20 * time.Millisecond)
	x.between("on probation", began, x.mark(), false)
	cut(t, host, true)
	time.Sleep(time.Until(ends))
	cut(t, host, false)
	x.arrives(5 * time.Second)
	if err := p.Confirm(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("confirmed too late: %v", err)
	}
	// The other end of the cable, while it is confirmed from the host itself.
	p = try(t, fw, shut(), time.Minute)
	cut(t, peer, true)
	if err := p.Confirm(t.Context()); err != nil {
		t.Fatal(err)
	}
	cut(t, peer, false)
	began = x.mark()
	time.Sleep(50 * time.Millisecond)
	x.between("confirmed", began, x.mark(), false)
	holds(t, fw, shut(), true)
}

// arrives waits until a packet that is sent from now on arrives.
func (x *traffic) arrives(within time.Duration) {
	x.t.Helper()
	from := x.mark()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(time.Millisecond) {
		x.mu.Lock()
		for n := x.sent; n > from; n-- {
			if x.arrived[n] {
				x.mu.Unlock()
				return
			}
		}
		x.mu.Unlock()
	}
	x.t.Errorf("nothing arrives within %v", within)
}
