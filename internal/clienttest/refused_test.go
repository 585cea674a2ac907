package clienttest

import (
	"errors"
	"fmt"
	"io/fs"
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

// input is a filter table for both families whose INPUT has these rules.
func input(rules ...rule.Rule) table.Ruleset {
	return table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop, rules...)))
}

// sixteen is one port more than multiport takes.
func sixteen() nf.PortList {
	var ports []nf.Ports
	for i := range uint16(16) {
		ports = append(ports, nf.Port(i+1))
	}
	return nf.List(ports...)
}

// deep is a chain of jumps one deeper than the kernel follows.
func deep() table.Ruleset {
	chains := []chain.Chain{chain.BuiltIn(chain.Input, chain.Drop, rule.Jump("D1"))}
	for i := 1; i <= table.MaxDepth; i++ {
		chains = append(chains, chain.New(fmt.Sprint("D", i), rule.Jump(fmt.Sprint("D", i+1))))
	}
	return table.NewRuleset(table.New(table.Filter, append(chains, chain.New(fmt.Sprint("D", table.MaxDepth+1)))...))
}

// refusal is what bad input gets: the identity, the place, and words that say
// what is wrong.
type refusal struct {
	name  string
	rs    table.Ruleset
	is    []error
	place string // table, chain and rule as Error's fields have them
	ext   string
	says  string
}

var refusals = []refusal{
	{
		"16 ports in multiport", input(dev("a"), rule.Accept(match.Multiport{Proto: nf.TCP, Dports: match.Is(sixteen())})),
		nil, "filter INPUT 2", "multiport", "15",
	},
	{
		"a port without a protocol", input(rule.Accept(match.Dport(0, 22))),
		nil, "filter INPUT 1", "multiport", "no --dport",
	},
	{
		"a chain name that is too long", table.NewRuleset(table.New(table.Filter, chain.New(strings.Repeat("x", 29)))),
		[]error{chain.ErrName}, "filter " + strings.Repeat("x", 29) + " 0", "", "under 29",
	},
	{
		"a chain name that is reserved", table.NewRuleset(table.New(table.Filter, chain.New("REJECT"))),
		[]error{chain.ErrName}, "filter REJECT 0", "", "REJECT",
	},
	{
		"a jump to a missing chain", input(dev("a"), rule.Jump("NONE")),
		[]error{fs.ErrNotExist}, "filter INPUT 2", "", "chain NONE: file does not exist; the chain must be in the same table",
	},
	{
		"a jump to a built-in chain", input(rule.Jump(chain.Forward)),
		[]error{table.ErrBuiltIn}, "filter INPUT 1", "", "built-in",
	},
	{
		"a loop", table.NewRuleset(table.New(table.Filter, chain.New("A", rule.Jump("B")), chain.New("B", dev("x"), rule.Jump("A")))),
		[]error{table.ErrLoop}, "filter B 2", "", "A -> B -> A",
	},
	{
		"too deep", deep(),
		[]error{table.ErrDepth}, "filter INPUT 1", "", "kernel takes 15",
	},
	{
		"DNAT in filter", input(dev("a"), dev("b"), rule.New(target.DNATTo(netip.MustParseAddrPort("10.0.0.1:80")), match.Proto(nf.TCP))),
		[]error{table.ErrPlace}, "filter INPUT 3", "DNAT", "only in nat",
	},
	{
		"MASQUERADE in PREROUTING", table.NewRuleset(table.New(table.NAT, chain.BuiltIn(chain.Prerouting, chain.Accept, rule.New(target.Masquerade{})))),
		[]error{table.ErrPlace}, "nat PREROUTING 1", "MASQUERADE", "POSTROUTING",
	},
	{
		"MASQUERADE in a chain that PREROUTING jumps to", table.NewRuleset(table.New(table.NAT,
			chain.BuiltIn(chain.Prerouting, chain.Accept, rule.Jump("A")), chain.New("A", rule.New(target.Masquerade{})))),
		[]error{table.ErrPlace}, "nat A 1", "MASQUERADE", "PREROUTING",
	},
	{
		"-o in INPUT", input(rule.Accept(match.Out("eth0"))),
		[]error{table.ErrInterface}, "filter INPUT 1", "", "-o",
	},
	{
		"an IPv6 address in an IPv4 table", table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, rule.Drop(match.Source(netip.MustParseAddr("2001:db8::1")))))),
		[]error{rule.ErrFamily}, "IPv4 filter INPUT 1", "", "IPv6",
	},
	{
		"both families in one rule", input(rule.Drop(match.Source(netip.MustParseAddr("2001:db8::1")), match.ICMP{Type: match.Is(nf.Type(8))})),
		[]error{rule.ErrFamily}, "filter INPUT 1", "icmp", "IPv6 and IPv4",
	},
	{
		"a chain that the table has not", table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Prerouting, chain.Accept))),
		[]error{table.ErrHook}, "filter PREROUTING 0", "", "filter has INPUT, FORWARD, OUTPUT",
	},
	{
		"an address that nobody parsed", input(rule.Accept(match.Source(netip.Prefix{}))),
		nil, "filter INPUT 1", "", "invalid",
	},
	{
		"a table twice", table.NewRuleset(table.New(table.Filter), table.New(table.Filter)),
		[]error{fs.ErrExist}, "filter  0", "", "two tables",
	},
	{
		"a table for both beside one for IPv4", table.NewRuleset(table.New(table.NAT), table.New(table.NAT.IPv4())),
		[]error{table.ErrBothOne}, "", "", "both families",
	},
	{
		"no table at all", table.NewRuleset(table.Table{}),
		[]error{table.ErrNoTable}, "no table  0", "", "table.New",
	},
}

// What iptables refuses is refused before anything is sent, by every way in, with
// an error that says what is wrong and where.
func TestRefusals(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		ctx := t.Context()
		fw := w.client(t)
		w.apply(t, fw, mailhost())
		before := w.list(t)
		for _, c := range refusals {
			for way, try := range map[string]func() error{
				"Apply": func() error { return fw.Apply(ctx, c.rs) },
				"Check": func() error { return fw.Check(ctx, c.rs) },
				"Plan":  func() error { _, err := fw.Plan(ctx, c.rs); return err },
			} {
				err := try()
				c.judge(t, way, err)
				if now := w.list(t); now != before {
					t.Fatalf("%s of %s changed\n%s", way, c.name, diff(before, now))
				}
			}
		}
	})
}

// judge looks at an error's identity, place and words.
func (c refusal) judge(t *testing.T, way string, err error) {
	t.Helper()
	for _, is := range append(c.is, backend.ErrInvalid) {
		if !errors.Is(err, is) {
			t.Errorf("%s of %s: %v, want %v", way, c.name, err, is)
		}
	}
	es := backend.Errors(err)
	if len(es) != 1 {
		t.Errorf("%s of %s: %d errors: %v", way, c.name, len(es), err)
		return
	}
	e := es[0]
	if at := fmt.Sprintf("%v %s %d", e.Table, e.Chain, e.Rule); c.place != "" && at != c.place || e.Extension != c.ext {
		t.Errorf("%s of %s: at %q, by %q: %v", way, c.name, at, e.Extension, err)
	}
	if (e.Text != "") != (e.Rule != 0) || !strings.HasPrefix(err.Error(), strings.ToLower(way)+": ") || !strings.Contains(err.Error(), c.says) {
		t.Errorf("%s of %s says: %v, want %q", way, c.name, err, c.says)
	}
}
