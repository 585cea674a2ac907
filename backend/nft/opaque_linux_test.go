package nft_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// foreign are rules that an administrator may add to a table of ours with nft, and
// that iptables has no words for; and what their text makes in another chain,
// where rules of ours have a counter: "" where the text cannot say what they do.
var foreign = map[string]struct{ rule, elsewhere string }{
	"anonymous set":           {"tcp dport { 22, 80 } counter packets 0 bytes 0 accept", ""},
	"anonymous set of ranges": {"tcp dport { 1-5, 9 } counter packets 0 bytes 0 accept", ""},
	"anonymous pairs":         {"ip saddr . tcp dport { 192.0.2.1 . 80 } accept", ""},
	"anonymous verdict map":   {"tcp dport vmap { 22 : accept, 80 : drop }", ""},
	"verdict map that jumps":  {"tcp dport vmap { 22 : jump B }", ""},
	"anonymous map":           {"meta mark set tcp dport map { 22 : 0x00000001, 80 : 0x00000002 }", ""},
	"named set": {
		"ip saddr @friends counter packets 0 bytes 0 accept",
		"ip saddr @friends counter packets 0 bytes 0 accept",
	},
	"not in a named set": {
		"ip saddr != @friends drop",
		"ip saddr != @friends counter packets 0 bytes 0 drop",
	},
	"named verdict map": {
		"tcp dport vmap @verdicts",
		"tcp dport vmap @verdicts counter packets 0 bytes 0",
	},
	"dynamic set": {
		"update @seen { ip saddr timeout 1m }",
		"meta nfproto ipv4 counter packets 0 bytes 0 update @seen { ip saddr timeout 1m }",
	},
	"two counters": {
		"ip saddr 192.0.2.1 counter packets 0 bytes 0 tcp dport 5 counter packets 0 bytes 0 accept",
		"ip saddr 192.0.2.1 counter packets 0 bytes 0 tcp dport 5 counter packets 0 bytes 0 accept",
	},
	"named counter": {`counter name "hits"`, `counter packets 0 bytes 0 counter name "hits"`},
}

// aroundForeign is what they refer to.
const aroundForeign = `
add set inet x-filter friends { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }
add map inet x-filter verdicts { type inet_service : verdict; elements = { 25 : accept }; }
add set inet x-filter seen { type ipv4_addr; size 100; flags dynamic,timeout; }
add counter inet x-filter hits
`

// A rule that iptables has no words for is shown, makes no plan, and stays the
// very rule that it is while others of its chain come and go.
func TestForeignRulesStay(t *testing.T) {
	own := rule.Accept(match.Dport(nf.TCP, 1))
	for name, f := range foreign {
		t.Run(name, func(t *testing.T) {
			text := f.rule
			host := labtest.Host(t)
			tool := oracle.Nft(t, host)
			fw := firewall(t, host, backend.Config{Owner: "x"})
			apply(t, fw, table.NewRuleset(table.New(table.Filter,
				chain.BuiltIn(chain.Input, chain.Accept), chain.New("A", own), chain.New("B"))))
			tool.MustLoad(aroundForeign + "add rule inet x-filter A " + text + "\n")
			before := handled(tool)
			if !strings.Contains(before, text+" # handle") {
				t.Fatalf("nft lists it otherwise:\n%s", before)
			}
			rs, err := fw.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r := second(rs); !r.Opaque() {
				t.Errorf("read as %v", r)
			}
			if p, err := fw.Plan(t.Context(), rs); err != nil || !p.Empty() {
				t.Errorf("what was read is not what is there: %v, %v", p, err)
			}
			edits := []func(*backend.ChainEdit){
				func(a *backend.ChainEdit) { a.Insert(2, rule.Drop(match.In("lo"))) },
				func(a *backend.ChainEdit) { a.Append(rule.Drop(match.In("lo"))) },
				func(a *backend.ChainEdit) { a.DeleteAt(2); a.DeleteAt(3) },
				func(a *backend.ChainEdit) { a.Replace(1, rule.Drop()); a.Replace(1, own) },
			}
			for i, edit := range edits {
				if err := fw.Edit(t.Context(), func(e *backend.Edit) error {
					edit(e.Chain(table.Filter, "A"))
					return nil
				}); err != nil {
					t.Fatalf("edit %d: %v", i, err)
				}
				if !strings.Contains(handled(tool), handle(before, text)) {
					t.Errorf("edit %d: it is no longer %q:\n%s", i, handle(before, text), handled(tool))
				}
			}
			if diff := cmp.Diff(unhandled(before), unhandled(handled(tool))); diff != "" {
				t.Errorf("after edits that undo one another:\n%s", diff)
			}
		})
	}
}

// The text of such a rule in another chain of the table is the rule, and is
// refused before anything is sent where the text cannot say what the rule does.
func TestForeignRulesElsewhere(t *testing.T) {
	for name, f := range foreign {
		t.Run(name, func(t *testing.T) {
			text := f.rule
			host := labtest.Host(t)
			tool := oracle.Nft(t, host)
			fw := firewall(t, host, backend.Config{Owner: "x"})
			apply(t, fw, table.NewRuleset(table.New(table.Filter, chain.New("A", rule.Accept()), chain.New("B"))))
			tool.MustLoad(aroundForeign + "add rule inet x-filter A " + text + "\n")
			rs, err := fw.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r, err := rule.Parse(second(rs).String(), nf.Both)
			if err != nil {
				t.Fatal(err)
			}
			before := tool.List("-a")
			err = fw.Edit(t.Context(), func(e *backend.Edit) error {
				e.Chain(table.Filter, "B").Append(rule.Drop(), r)
				return nil
			})
			if f.elsewhere != "" {
				inB := "\tchain B {\n\t\tcounter packets 0 bytes 0 drop\n\t\t" + f.elsewhere + "\n"
				want := strings.Replace(unhandled(before), "\tchain B {\n", inB, 1)
				if after := unhandled(tool.List("-a")); err != nil || after != want {
					t.Errorf("%v\n%s", err, cmp.Diff(want, after))
				}
				return
			}
			var typed *backend.Error
			if !errors.Is(err, backend.ErrInexact) || !errors.As(err, &typed) || typed.Chain != "B" || typed.Rule != 2 || typed.Hint == "" {
				t.Errorf("%v", err)
			}
			if after := tool.List("-a"); after != before {
				t.Errorf("something was sent all the same:\n%s", cmp.Diff(before, after))
			}
		})
	}
}

// second is the second rule of the chain A.
func second(rs table.Ruleset) rule.Rule {
	tb, _ := rs.Table(table.Filter)
	a, _ := tb.Chain("A")
	r, _ := a.Rule(2)
	return r
}

// handled is nft's listing with handles.
func handled(tool *oracle.NftTool) string { return tool.List("-a") }

// handle is the rule's line with its handle.
func handle(listing, text string) string {
	_, rest, _ := strings.Cut(listing, text+" # handle ")
	n, _, _ := strings.Cut(rest, "\n")
	return text + " # handle " + n + "\n"
}

var handles = regexp.MustCompile(` # handle \d+`)

func unhandled(listing string) string { return handles.ReplaceAllString(listing, "") }
