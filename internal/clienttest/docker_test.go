package clienttest

import (
	"context"
	"net/netip"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// bridge is a container network of one family.
type bridge struct {
	device string
	subnet netip.Prefix
}

func (b bridge) nat() table.ID    { return table.NAT.For(nf.FamilyOf(b.subnet.Addr())) }
func (b bridge) filter() table.ID { return table.Filter.For(nf.FamilyOf(b.subnet.Addr())) }

// rules are what the daemon needs before there is any container.
func (b bridge) rules() table.Ruleset {
	subnet, device := match.Source(b.subnet), b.device
	return table.NewRuleset(
		table.New(b.nat(),
			chain.BuiltIn(chain.Prerouting, chain.Accept, rule.Jump("PUBLISHED", match.DstLocal())),
			chain.BuiltIn(chain.Output, chain.Accept, rule.Jump("PUBLISHED", match.DstLocal())),
			chain.BuiltIn(chain.Postrouting, chain.Accept,
				rule.New(target.Masquerade{}, subnet, match.NotOut(device)),
				rule.Jump("HAIRPIN", subnet, match.Out(device)),
			),
			chain.New("PUBLISHED"),
			chain.New("HAIRPIN"),
		),
		table.New(b.filter(),
			chain.BuiltIn(chain.Forward, chain.Drop,
				rule.Jump("USER"),
				rule.Accept(match.CTStates(match.Related|match.Established)),
				rule.Jump("CONTAINERS", match.Out(device)),
				rule.Accept(match.In(device), match.NotOut(device)),
			),
			chain.New("CONTAINERS"),
			chain.Keep("USER"), // the administrator's: never flushed
		),
	)
}

// published is one published port.
type published struct {
	proto nf.Protocol
	host  uint16
	to    netip.AddrPort
}

// place is a rule and where it goes.
type place struct {
	table table.ID
	chain string
	rule  rule.Rule
}

// places are the three rules that publish p for a container.
func (b bridge) places(id string, p published) []place {
	who := match.Comment("container " + id)
	self, dport := p.to.Addr(), match.Dport(p.proto, p.to.Port())
	return []place{
		{b.nat(), "PUBLISHED", rule.New(target.DNATTo(p.to), match.Dport(p.proto, p.host), who)},
		{b.nat(), "HAIRPIN", rule.New(target.Masquerade{}, match.Source(self), match.Dest(self), dport, who)},
		{b.filter(), "CONTAINERS", rule.Accept(match.Dest(self), dport, who)},
	}
}

// publish opens the ports in one transaction. It may be repeated.
func (b bridge) publish(ctx context.Context, fw *backend.Firewall, id string, ports ...published) error {
	return fw.Edit(ctx, func(e *backend.Edit) error {
		for _, p := range ports {
			for _, x := range b.places(id, p) {
				e.Chain(x.table, x.chain).AppendUnique(x.rule)
			}
		}
		return nil
	})
}

// unpublish removes every rule of a container, whatever ports it had.
func (b bridge) unpublish(ctx context.Context, fw *backend.Firewall, id string) (removed int, err error) {
	err = fw.Edit(ctx, func(e *backend.Edit) error {
		removed = 0 // Edit may run this again
		for _, x := range b.places(id, published{}) {
			removed += e.Chain(x.table, x.chain).DeleteFunc(func(r rule.Rule) bool {
				return r.Comment() == "container "+id
			})
		}
		return nil
	})
	return removed, err
}

var (
	docker4 = bridge{"docker0", netip.MustParsePrefix("172.17.0.0/16")}
	docker6 = bridge{"docker0", netip.MustParsePrefix("fd00:17::/64")}
)

// port is a published TCP port.
func port(host uint16, to string) published {
	return published{nf.TCP, host, netip.MustParseAddrPort(to)}
}

// A container's port is published and taken back: no residue, and nothing else
// was touched, handles and the administrator's chain included.
func TestPublishAndUnpublish(t *testing.T) {
	for name, b := range map[string]struct {
		bridge
		web, db, dns string
	}{
		"IPv4": {docker4, "172.17.0.2:80", "172.17.0.3:5432", "172.17.0.2:53"},
		"IPv6": {docker6, "[fd00:17::2]:80", "[fd00:17::3]:5432", "[fd00:17::2]:53"},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, w world) {
				ctx := t.Context()
				fw := w.open(t, backend.Config{Owner: "docker"})
				w.apply(t, fw, b.rules())
				edit(t, fw, b.filter(), "USER", func(c *backend.ChainEdit) {
					c.Append(counted(rule.Drop(match.Dport(nf.TCP, 5432)), 7))
				})
				if err := b.publish(ctx, fw, "db", port(5432, b.db)); err != nil {
					t.Fatal(err)
				}
				before := w.list(t)

				ports := []published{port(8080, b.web), {nf.UDP, 53, netip.MustParseAddrPort(b.dns)}}
				if err := b.publish(ctx, fw, "web", ports...); err != nil {
					t.Fatal(err)
				}
				w.reload(t)
				once := w.list(t)
				if err := b.publish(ctx, fw, "web", ports...); err != nil || w.list(t) != once {
					t.Errorf("publishing again changed something: %v", err)
				}
				if n, err := b.unpublish(ctx, fw, "web"); n != 6 || err != nil {
					t.Errorf("removed %d, %v", n, err)
				}
				if after := w.list(t); after != before {
					t.Errorf("residue (-before +after):\n%s", diff(before, after))
				}
				if n, err := b.unpublish(ctx, fw, "web"); n != 0 || err != nil {
					t.Errorf("a second time removed %d, %v", n, err)
				}
				// The daemon starts again: what it needs is there, the containers go, the
				// administrator's chain stays with its counter.
				if err := fw.Apply(ctx, b.rules()); err != nil {
					t.Fatal(err)
				}
				user := lines(t, fw, b.filter(), "USER")
				if len(user) != 1 || user[0].Counters().Packets != 7 {
					t.Errorf("USER has %v", user)
				}
				if left := lines(t, fw, b.nat(), "PUBLISHED"); len(left) != 0 {
					t.Errorf("PUBLISHED has %v", left)
				}
			})
		})
	}
}
