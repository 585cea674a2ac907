package clienttest

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

const tun = "tailscale0"

var (
	cgnat  = netip.MustParsePrefix("100.64.0.0/10")
	chrome = netip.MustParsePrefix("100.115.92.0/23")

	// Two bytes of the mark are ours; the other two belong to whoever set them.
	subnetRoute = nf.MarkMask(0x40000, 0xff0000)
)

// tailscale lets the tunnel's traffic in, forwards it, and masks what leaves a
// subnet router.
func tailscale(self netip.Addr, port uint16, masquerade bool) table.Ruleset {
	rules := []table.Table{
		table.New(table.Filter,
			chain.BuiltIn(chain.Input, chain.Accept,
				rule.Accept(match.In("lo"), match.Source(self)),
				rule.Return(match.NotIn(tun), match.Source(chrome)),
				rule.Drop(match.NotIn(tun), match.Source(cgnat)), // by its address for IPv4 only
				rule.Accept(match.In(tun)),
				rule.Accept(match.Dport(nf.UDP, port)),
			),
			chain.BuiltIn(chain.Forward, chain.Accept,
				rule.New(target.SetMark(subnetRoute), match.In(tun)),
				rule.Accept(match.Marked(subnetRoute)),
				rule.Drop(match.Out(tun), match.Source(cgnat)),
				rule.Accept(match.Out(tun)),
			),
		),
		table.New(table.Mangle,
			chain.BuiltIn(chain.Forward, chain.Accept,
				rule.New(target.ClampMSS, match.Out(tun), match.TCP{Flags: match.Is(match.AnySYN)}),
			),
		),
	}
	if masquerade {
		rules = append(rules, table.New(table.NAT,
			chain.BuiltIn(chain.Postrouting, chain.Accept,
				rule.New(target.Masquerade{}, match.Marked(subnetRoute)),
			),
		))
	}
	return table.NewRuleset(rules...)
}

var self = netip.MustParseAddr("100.101.102.103")

// Two families come from one list, though some of it has no place in an inet
// table; a family's own rules stay in that family.
func TestTailscale(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		ctx := t.Context()
		fw := w.open(t, backend.Config{Owner: "tailscale", Offset: -10})
		rs := tailscale(self, 41641, true)
		if err := fw.Check(ctx, rs); err != nil {
			t.Fatal(err)
		}
		if now := w.list(t); now != "" {
			t.Errorf("Check left\n%s", now)
		}
		w.reload = func(testing.TB) {} // TCPMSS is the kernel's xt target, which nft cannot spell
		w.apply(t, fw, rs)
		masked := w.list(t)
		filter, _ := rs.Table(table.Filter)
		if v6 := filter.For(nf.IPv6).String(); strings.Contains(v6, "100.") {
			t.Errorf("IPv4 addresses for IPv6:\n%s", v6)
		}

		// The same without NAT: what a ruleset does not name stays, so a program that
		// wants less says so.
		less := tailscale(self, 41641, false)
		if err := fw.Apply(ctx, less); err != nil || w.list(t) != masked {
			t.Errorf("a table that was not named was touched: %v", err)
		}
		w.apply(t, fw, rs.With(table.New(table.NAT)))
	})
}

// What Check reports of a kernel that lacks something, as the program prints it.
func TestCheckNamesEveryRule(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.open(t, backend.Config{Owner: "tailscale"})
		rs := tailscale(self, 41641, true)
		in, _ := rs.Table(table.Filter)
		bad := []rule.Rule{
			rule.New(target.XT{Ext: "NOSUCH", Info: strings.Repeat("\x00", 8)}),
			rule.Accept(match.Out("eth0")),
			rule.Accept(match.XT{Ext: "nosuchmatch", Info: strings.Repeat("\x00", 8)}),
		}
		err := fw.Check(t.Context(), rs.With(in.WithChain(chain.BuiltIn(chain.Output, chain.Accept, bad...))))
		es := backend.Errors(err)
		if len(es) != 2 {
			t.Fatalf("%d errors: %v", len(es), err)
		}
		for i, want := range []struct {
			rule      int
			extension string
		}{{1, "NOSUCH"}, {3, "nosuchmatch"}} {
			e := es[i]
			if e.Rule != want.rule || e.Chain != chain.Output || e.Table != table.Filter || e.Extension != want.extension ||
				e.Family != nf.Both || e.Feature != "xt_"+want.extension || e.Hint == "" || e.Text != bad[want.rule-1].String() || !errors.Is(e, backend.ErrUnsupported) {
				t.Errorf("%+v", e)
			}
		}
		if now := w.list(t); now != "" {
			t.Errorf("Check left\n%s", now)
		}
	})
}
