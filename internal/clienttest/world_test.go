package clienttest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/sim"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// world is a host on which a program runs.
type world struct {
	open   func(t testing.TB, cfg backend.Config) *backend.Firewall
	list   func(t testing.TB) string // everything in the host, as text that shows every change
	pass   func(d time.Duration)     // lets time pass
	reload func(t testing.TB)        // fails unless what nft lists loads again
}

// everywhere runs a test in memory and, on Linux, in a network namespace.
func everywhere(t *testing.T, test func(t *testing.T, w world)) {
	t.Helper()
	t.Run("sim", func(t *testing.T) { test(t, memory()) })
	onKernel(t, test)
}

// memory is a host of package sim.
func memory() world {
	h := sim.New(sim.Config{})
	w := world{reload: func(testing.TB) {}, pass: h.Advance}
	w.open = func(t testing.TB, cfg backend.Config) *backend.Firewall {
		t.Helper()
		fw, err := h.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { fw.Close() })
		return fw
	}
	// Nobody but Firewalls programs it, so what their owners read is all there is.
	owners := []string{"client", "neighbour", "mailhost", "docker", "tailscale", "kube-proxy"}
	w.list = func(t testing.TB) string {
		t.Helper()
		var b strings.Builder
		for _, o := range owners {
			read(t, w.open(t, backend.Config{Owner: o})).Save(&b, table.Saving{Counters: true})
		}
		return b.String()
	}
	return w
}

// client opens the firewall of an owner "client".
func (w world) client(t testing.TB) *backend.Firewall {
	t.Helper()
	return w.open(t, backend.Config{Owner: "client"})
}

// apply applies a ruleset and asks what is asked of every program.
func (w world) apply(t testing.TB, fw *backend.Firewall, rs table.Ruleset) {
	t.Helper()
	if err := fw.Apply(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	w.holds(t, fw, rs)
}

// holds says whether the host runs exactly rs.
func (w world) holds(t testing.TB, fw *backend.Firewall, rs table.Ruleset) {
	t.Helper()
	p, err := fw.Plan(t.Context(), rs)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Empty() || p.String() != "" {
		t.Errorf("left to do:\n%v", p)
	}
	var named []table.ID
	for tb := range rs.Tables() {
		named = append(named, tb.ID())
	}
	if got := read(t, fw, named...); !got.Equal(unkept(rs)) {
		t.Errorf("read otherwise than given (-given +read):\n%s", diff(rs.String(), got.String()))
	}
	if err := fw.Check(t.Context(), rs); err != nil {
		t.Errorf("Check of what is in force: %v", err)
	}
	w.reload(t)
}

// unkept is rs as it reads before anybody filled the chains that it keeps: whose
// a chain is the program knows, the kernel does not.
func unkept(rs table.Ruleset) table.Ruleset {
	for t := range rs.Tables() {
		for c := range t.Chains() {
			if c.Kept() {
				t = t.WithChain(chain.New(c.Name()))
			}
		}
		rs = rs.With(t)
	}
	return rs
}

// read is fw.Read.
func read(t testing.TB, fw *backend.Firewall, ids ...table.ID) table.Ruleset {
	t.Helper()
	rs, err := fw.Read(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// edit is fw.Edit of one chain.
func edit(t testing.TB, fw *backend.Firewall, id table.ID, name string, fn func(c *backend.ChainEdit)) {
	t.Helper()
	if err := fw.Edit(t.Context(), func(e *backend.Edit) error { fn(e.Chain(id, name)); return nil }); err != nil {
		t.Fatal(err)
	}
}

// counted presets a rule's counters: in memory no packet passes.
func counted(r rule.Rule, packets uint64) rule.Rule {
	return r.WithCounters(nf.Counters{Packets: packets, Bytes: 100 * packets})
}

// lines are a chain's rules.
func lines(t testing.TB, fw *backend.Firewall, id table.ID, name string) []rule.Rule {
	t.Helper()
	tb, ok := read(t, fw, id).Table(id)
	if !ok {
		t.Fatalf("no table %v", id)
	}
	c, ok := tb.Chain(name)
	if !ok {
		t.Fatalf("no chain %v %s", id, name)
	}
	var out []rule.Rule
	for _, r := range c.Rules() {
		out = append(out, r)
	}
	return out
}

// diff shows what is different in two listings, line by line.
func diff(before, after string) string {
	return cmp.Diff(strings.Split(before, "\n"), strings.Split(after, "\n"))
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }
