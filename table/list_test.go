package table_test

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// both is a table that iptables cannot have.
func both() table.Table {
	return table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop,
			rule.Accept(match.In("lo")),
			rule.Accept(match.Dest(netip.MustParseAddr("192.0.2.1"))),
			rule.Jump("x", match.Only(nf.IPv6)),
			rule.Goto("x", match.TCP{Dport: match.Is(nf.Port(22))}),
		).WithCounters(nf.Counters{Packets: 3, Bytes: 100_000}),
		chain.New("x"))
}

func list(t *testing.T, tb table.Table, how table.Listing, chains ...string) string {
	t.Helper()
	var b strings.Builder
	if err := tb.List(t.Context(), &b, how, chains...); err != nil {
		t.Error(err)
	}
	return b.String()
}

func TestListingOfATableForBoth(t *testing.T) {
	const want = "" +
		"Chain INPUT (policy DROP 3 packets, 100K bytes)\n" +
		"num   pkts bytes target     prot opt in     out     source               destination         \n" +
		"1        0     0 ACCEPT     0    --  lo     *       anywhere             anywhere            \n" +
		"2        0     0 ACCEPT     0    --  *      *       0.0.0.0/0            192.0.2.1           \n" +
		"3        0     0 x          0    --  *      *       ::/0                 ::/0                \n" +
		"4        0     0 x          6    --  *      *       anywhere             anywhere            [goto]  tcp dpt:22\n" +
		"\n" +
		"Chain x (2 references)\n" +
		"num   pkts bytes target     prot opt in     out     source               destination         \n"
	if got := list(t, both(), table.Listing{Verbose: true, Numbers: true}); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestListingOfChainsAndRules(t *testing.T) {
	tb := both().For(nf.IPv4)
	const head = "target     prot opt source               destination         \n"
	const second = "ACCEPT     0    --  0.0.0.0/0            192.0.2.1           \n"
	for name, tc := range map[string]struct {
		how    table.Listing
		chains string
		want   string
	}{
		"a chain":         {table.Listing{}, "x", "Chain x (1 references)\n" + head},
		"the order asked": {table.Listing{Spec: true}, "x INPUT", "-N x\n-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -d 192.0.2.1/32 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -g x\n"},
		"a rule":          {table.Listing{Rule: 2}, "INPUT", second},
		"its number":      {table.Listing{Rule: 2, Numbers: true}, "INPUT", "2    " + second},
		"a rule's spec":   {table.Listing{Rule: 2, Spec: true, Verbose: true}, "INPUT", "-A INPUT -d 192.0.2.1/32 -c 0 0 -j ACCEPT\n"},
		"no such rule":    {table.Listing{Rule: 9}, "INPUT", ""},
	} {
		if got := list(t, tb, tc.how, strings.Fields(tc.chains)...); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tc.want)
		}
	}
}

func TestListRefuses(t *testing.T) {
	var b strings.Builder
	err := both().List(t.Context(), &b, table.Listing{}, "INPUT", "nobody")
	var te *table.Error
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &te) || te.Chain != "nobody" || b.Len() > 0 {
		t.Error(err, b.String())
	}
	if err := both().List(t.Context(), failing{}, table.Listing{}); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

// slow is a Resolver whose answer ends the context.
type slow struct {
	end   context.CancelFunc
	asked *[]string
}

func (s slow) Service(context.Context, uint16, nf.Protocol) (string, bool) { return "", false }

func (s slow) Host(ctx context.Context, addr string) (string, bool) {
	*s.asked = append(*s.asked, addr)
	s.end()
	return "", false
}

func TestListEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var asked []string
	tb := table.New(table.Filter.IPv4(), input(
		rule.Accept(match.Source(netip.MustParseAddr("192.0.2.1"))), rule.Accept(match.Source(netip.MustParseAddr("192.0.2.2")))))
	err := tb.List(ctx, &strings.Builder{}, table.Listing{Resolver: slow{cancel, &asked}})
	if !errors.Is(err, context.Canceled) || len(asked) != 1 {
		t.Error(err, asked)
	}
}

func TestNamesAreAskedOnce(t *testing.T) {
	var asked []string
	r := rule.Accept(match.Source(netip.MustParseAddr("192.0.2.1")))
	tb := table.New(table.Filter.IPv4(), input(r, r, r))
	list(t, tb, table.Listing{Resolver: slow{func() {}, &asked}})
	if len(asked) != 1 || asked[0] != "192.0.2.1" {
		t.Error(asked)
	}
}
