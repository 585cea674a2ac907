package nft_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// lacks says that the kernel really has not what a test is about.
func lacks(t *testing.T, h *lab.Host, kind, name string) {
	t.Helper()
	r, err := nft.Survey(t.Context(), nft.FD(h.FD()))
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := r.Feature(kind, name); f.State != nft.Missing {
		labtest.Require(t, "a kernel without "+kind+" "+name, errors.New("this one has it"))
	}
}

var eight = strings.Repeat("\x00", 8)

// Everything that is wrong is reported at once, whatever the reason: what no
// kernel takes, what this owner cannot have, and what this kernel lacks, several
// parts of one rule included.
func TestCheckReportsEverything(t *testing.T) {
	h := labtest.Host(t)
	lacks(t, h, "expression", "queue")
	lacks(t, h, "target", "LED")
	fw := firewall(t, h, backend.Config{Owner: "all"})
	rules := []rule.Rule{
		rule.Accept(match.In("lo")),
		rule.Accept(match.In("")),           // no name
		rule.New(target.Jump("NOWHERE")),    // no chain
		rule.Drop(match.Raw{Expr: "queue"}), // no expression
		rule.New(target.XT{Ext: "LED", Info: eight}, match.XT{Ext: "ipvs", Info: eight}),
		rule.Accept(match.Dport(nf.TCP, 22)),
		rule.New(target.XT{Ext: "ULOG", Info: eight}),
		rule.Drop(match.Raw{Expr: "nosuch"}, match.Raw{Expr: "queue"}),
		rule.Accept(match.XT{Ext: "multiport", Revision: 7, Info: eight}),
	}
	rs := table.NewRuleset(
		table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, rules...)),
		table.New(table.Raw.IPv4(), chain.BuiltIn(chain.Prerouting, chain.Accept, rule.New(target.CT{Helper: "ftp"}, match.Proto(nf.TCP)))),
	)
	err := fw.Check(t.Context(), rs)
	type found struct {
		chain              string
		rule               int
		extension, feature string
		is                 error
	}
	want := []found{
		{"PREROUTING", 1, "CT", "", backend.ErrInexact},
		{"INPUT", 2, "", "", backend.ErrInvalid},
		{"INPUT", 3, "", "", backend.ErrInvalid},
		{"INPUT", 4, "queue", "nft_queue", backend.ErrUnsupported},
		{"INPUT", 5, "ipvs", "xt_ipvs", backend.ErrUnsupported},
		{"INPUT", 5, "LED", "xt_LED", backend.ErrUnsupported},
		{"INPUT", 7, "ULOG", "ipt_ULOG", backend.ErrUnsupported},
		{"INPUT", 8, "nosuch", "nft_nosuch", backend.ErrUnsupported},
		{"INPUT", 8, "queue", "nft_queue", backend.ErrUnsupported},
		{"INPUT", 9, "multiport", "xt_multiport revision 7", backend.ErrUnsupported},
	}
	es := backend.Errors(err)
	if len(es) != len(want) {
		t.Fatalf("%d errors, want %d:\n%v", len(es), len(want), err)
	}
	for i, w := range want {
		e := es[i]
		if got := (found{e.Chain, e.Rule, e.Extension, e.Feature, w.is}); got != w || !errors.Is(e, w.is) || e.Text == "" {
			t.Errorf("%+v\nwant %+v", e, w)
		}
		if w.is != backend.ErrInvalid && e.Hint == "" {
			t.Errorf("no hint: %v", e)
		}
	}
	for _, is := range []error{backend.ErrInvalid, backend.ErrInexact, backend.ErrUnsupported} {
		if !errors.Is(err, is) {
			t.Errorf("it is not %v", is)
		}
	}
	if !strings.Contains(es[6].Hint, "NFLOG") {
		t.Errorf("ULOG: %s", es[6].Hint)
	}
	if s, err := fw.Snapshot(t.Context()); err != nil || s.Generation() != 1 || len(s.Others()) != 0 {
		t.Errorf("Check left generation %d, %v", s.Generation(), err)
	}
}

// What the kernel has removed is refused by name before anything is sent, by Apply
// as by Check, though a set would have been staged first.
func TestWhatIsGoneIsRefusedBeforeAnythingIsSent(t *testing.T) {
	for _, owner := range []string{"gone", backend.Iptables} {
		h := labtest.Host(t)
		fw := firewall(t, h, backend.Config{Owner: owner})
		asked := false
		guarded := firewall(t, h, backend.Config{Owner: owner, Guards: []backend.Guard{
			func(context.Context, *backend.Snapshot, *backend.Snapshot) error { asked = true; return nil },
		}})
		for name, hint := range map[string]string{"CLUSTERIP": "6.3", "ULOG": "NFLOG", "LED": "CONFIG_NETFILTER_XT_TARGET_LED"} {
			lacks(t, h, "target", name)
			rs := table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop,
				rule.Accept(match.Multiport{Proto: nf.TCP, Dports: match.Is(nf.List(nf.PortRange(1000, 2000), nf.Port(80)))}),
				rule.New(target.XT{Ext: name, Info: eight}),
			)))
			for way, err := range map[string]error{
				"Apply": fw.Apply(t.Context(), rs), "Check": fw.Check(t.Context(), rs), "guarded": guarded.Apply(t.Context(), rs),
			} {
				es := backend.Errors(err)
				if len(es) != 1 || !errors.Is(err, backend.ErrUnsupported) || es[0].Extension != name || es[0].Rule != 2 || !strings.Contains(es[0].Hint, hint) {
					t.Errorf("%s: %s: %v", way, name, err)
				}
			}
		}
		if s, err := fw.Snapshot(t.Context()); err != nil || s.Generation() != 1 || asked {
			t.Errorf("generation %d, %v; the guard was asked: %v", s.Generation(), err, asked)
		}
	}
}

// An extension that is there and lacks what it refers to is not called missing.
func TestWhatAnExtensionNeeds(t *testing.T) {
	fw := firewall(t, labtest.Host(t), backend.Config{Owner: backend.Iptables})
	rs := table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop,
		rule.Accept(match.XT{Ext: "nfacct", Info: "nosuch" + strings.Repeat("\x00", 34)}),
	)))
	for way, err := range map[string]error{"Apply": fw.Apply(t.Context(), rs), "Check": fw.Check(t.Context(), rs)} {
		es := backend.Errors(err)
		if len(es) != 1 || errors.Is(err, backend.ErrUnsupported) || !errors.Is(err, fs.ErrNotExist) || es[0].Feature != "" || !strings.Contains(es[0].Hint, "nfacct add") {
			t.Errorf("%s: %v", way, err)
		}
	}
}
