package table_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/oracle/corpus"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

func TestMain(m *testing.M) { labtest.Main(m) }

func TestCorpusIsWhatIptablesSavesAndLists(t *testing.T) {
	for _, name := range corpus.Rules(t) {
		t.Run(name, func(t *testing.T) {
			text, f := corpus.Text(t, name), nf.IPv4
			if corpus.V6(name) {
				f = nf.IPv6
			}
			sameAsIptables(t, text, f)
		})
	}
}

func TestColumnsAreWhatIptablesSavesAndLists(t *testing.T) {
	for name, f := range map[string]nf.Family{"columns.rules": nf.IPv4, "tables.rules": nf.IPv4, "columns.ip6.rules": nf.IPv6} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			sameAsIptables(t, string(text), f)
		})
	}
}

// listings are the ways of -L and -S, as the command line and as a Listing.
var listings = []struct {
	args string
	how  table.Listing
}{
	{"-L -n", table.Listing{}},
	{"-L -n -v", table.Listing{Verbose: true}},
	{"-L -n -x", table.Listing{Exact: true}},
	{"-L -n -v -x", table.Listing{Verbose: true, Exact: true}},
	{"-L -n --line-numbers", table.Listing{Numbers: true}},
	{"-L -n -v -x --line-numbers", table.Listing{Verbose: true, Exact: true, Numbers: true}},
	{"-L", table.Listing{Resolver: named{}}},
	{"-L -v --line-numbers", table.Listing{Verbose: true, Numbers: true, Resolver: named{}}},
	{"-S", table.Listing{Spec: true}},
	{"-S -v", table.Listing{Spec: true, Verbose: true}},
}

// uncounted is a policy without counters, which iptables-restore -c refuses.
var uncounted = regexp.MustCompile(`(?m)^:\S+ \S+$`)

// sameAsIptables loads a text there and here, and compares what both save and list.
func sameAsIptables(t *testing.T, text string, f nf.Family) {
	host := labtest.Host(t)
	ipt := oracle.Legacy(t, host)
	if f == nf.IPv6 {
		ipt = ipt.V6()
	}
	if uncounted.MatchString(text) {
		ipt.MustRestore(text)
	} else {
		ipt.MustRestore(text, "-c")
	}
	rs, err := table.Parse(strings.NewReader(text), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := rs.Err(); err != nil {
		t.Error(err)
	}
	var saved strings.Builder
	rs.Save(&saved, table.Saving{Counters: true})
	if again, err := table.Parse(strings.NewReader(saved.String()), f); err != nil || !again.Equal(rs) {
		t.Errorf("does not come back: %v", err)
	}
	for tb := range rs.Tables() {
		tb = tb.Complete()
		for _, c := range []bool{false, true} {
			args := []string{"-t", tb.ID().Name()}
			if c {
				args = append(args, "-c")
			}
			var b strings.Builder
			tb.Save(&b, table.Saving{Counters: c})
			same(t, strings.Join(args, " "), b.String(), oracle.StripComments(ipt.Save(args...)))
		}
		for _, l := range listings {
			if l.how.Resolver != nil {
				l.how.Resolver = named{t, host}
			}
			var b strings.Builder
			if err := tb.List(t.Context(), &b, l.how); err != nil {
				t.Error(err)
			}
			args := append([]string{"-t", tb.ID().Name()}, strings.Fields(l.args)...)
			same(t, strings.Join(args, " "), b.String(), ipt.Must(args...))
		}
	}
}

// same reports the first line that differs.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			t.Errorf("%s: line %d is missing: %q", what, i+1, w[i])
		case i >= len(w):
			t.Errorf("%s: line %d is too much: %q", what, i+1, g[i])
		case g[i] != w[i]:
			t.Errorf("%s: line %d:\n got %q\nwant %q", what, i+1, g[i], w[i])
		default:
			continue
		}
		return
	}
}

// named is the names that a lab host knows: its C library's, asked in its own
// namespace, so that no question leaves it.
type named struct {
	t    *testing.T
	host *lab.Host
}

var services = table.System()

func (named) Service(ctx context.Context, port uint16, p nf.Protocol) (string, bool) {
	return services.Service(ctx, port, p)
}

func (n named) Host(ctx context.Context, addr string) (string, bool) {
	if out := n.getent(ctx, "hosts", addr); len(out) > 1 {
		return out[1], true
	}
	if netip.MustParseAddr(addr).Is4() {
		if out := n.getent(ctx, "networks", addr); len(out) > 0 {
			return out[0], true
		}
	}
	return "", false
}

func (n named) getent(ctx context.Context, what, key string) []string {
	out, err := n.host.Run(ctx, "", "getent", what, key)
	if err != nil {
		n.t.Error(err)
	}
	return strings.Fields(out.Stdout)
}
