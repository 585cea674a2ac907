package clienttest

import (
	"errors"
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

// Rule 500 of 1,000 is bad, each time in another way and found at another
// place: by us, by the compiler, by the host. Nothing is applied, and the error
// names chain, number and extension.
func TestOneBadRuleOfAThousand(t *testing.T) {
	bad := []struct {
		name    string
		rule    rule.Rule
		is      error
		ext     string
		feature string
	}{
		{"what no kernel takes", rule.Accept(match.Multiport{Proto: nf.TCP, Dports: match.Is(sixteen())}), backend.ErrInvalid, "multiport", ""},
		{"a target in the wrong table", rule.New(target.Masquerade{}), backend.ErrInvalid, "MASQUERADE", ""},
		{"what this kernel lacks", rule.Accept(match.XT{Ext: "nosuch", Info: strings.Repeat("\x00", 8)}), backend.ErrUnsupported, "nosuch", "xt_nosuch"},
	}
	everywhere(t, func(t *testing.T, w world) {
		ctx := t.Context()
		fw := w.client(t)
		w.apply(t, fw, mailhost())
		before := w.list(t)
		for _, c := range bad {
			var rules []rule.Rule
			for i := range uint16(1000) {
				rules = append(rules, rule.Accept(match.Dport(nf.TCP, i+1)))
			}
			rules[499] = c.rule
			rs := table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop, rules...)))
			for way, err := range map[string]error{
				"Apply": fw.Apply(ctx, rs),
				"Check": fw.Check(ctx, rs),
				"Edit": fw.Edit(ctx, func(e *backend.Edit) error {
					e.Chain(table.Filter, chain.Input).Set(rules...)
					return nil
				}),
			} {
				es := backend.Errors(err)
				if len(es) != 1 || !errors.Is(err, c.is) {
					t.Fatalf("%s of %s: %d errors: %v", way, c.name, len(es), err)
				}
				e := es[0]
				if e.Table != table.Filter || e.Chain != chain.Input || e.Rule != 500 || e.Text != c.rule.String() || e.Extension != c.ext || e.Feature != c.feature {
					t.Errorf("%s of %s: %+v", way, c.name, e)
				}
				if !strings.Contains(err.Error(), "filter INPUT rule 500 (") {
					t.Errorf("%s of %s says %v", way, c.name, err)
				}
			}
			if now := w.list(t); now != before {
				t.Fatalf("%s changed\n%s", c.name, diff(before, now))
			}
		}
	})
}

// What is exact only elsewhere says where.
func TestInexactHereSaysWhere(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		rs := table.NewRuleset(table.New(table.Raw, chain.BuiltIn(chain.Prerouting, chain.Accept,
			rule.New(target.CT{Helper: "ftp"}, match.Dport(nf.TCP, 21)))))
		err := fw.Apply(t.Context(), rs)
		es := backend.Errors(err)
		if !errors.Is(err, backend.ErrInexact) || errors.Is(err, backend.ErrInvalid) || len(es) != 1 {
			t.Fatalf("%d errors: %v", len(es), err)
		}
		if e := es[0]; e.Table != table.Raw || e.Chain != chain.Prerouting || e.Rule != 1 || e.Extension != "CT" || !strings.Contains(e.Hint, backend.Iptables) {
			t.Errorf("%+v", e)
		}
		if now := w.list(t); now != "" {
			t.Errorf("left behind:\n%s", now)
		}
	})
}

// A rule of one family that the host lacks something for says which family.
func TestOneFamilysRuleSaysWhichFamily(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		fw := w.client(t)
		rs := input(
			rule.New(target.XT{Ext: "NOSUCH", Info: strings.Repeat("\x00", 8)}, match.Only(nf.IPv6)),
			rule.Accept(match.XT{Ext: "nosuch", Info: strings.Repeat("\x00", 8)}),
		)
		es := backend.Errors(fw.Apply(t.Context(), rs))
		if len(es) != 2 || es[0].Family != nf.IPv6 || es[1].Family != nf.Both {
			// The order is the kernel's: the IPv4 half comes first.
			if len(es) != 2 || es[1].Family != nf.IPv6 || es[0].Family != nf.Both {
				t.Errorf("%+v", es)
			}
		}
	})
}
