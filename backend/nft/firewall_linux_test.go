package nft_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/oracle/corpus"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// firewall opens an owner's firewall on a host.
func firewall(t testing.TB, h *lab.Host, cfg backend.Config) *backend.Firewall {
	t.Helper()
	fw, err := nft.OpenIn(t.Context(), nft.FD(h.FD()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fw.Close() })
	return fw
}

// apply applies a ruleset and sees that there is nothing left to do.
func apply(t testing.TB, fw *backend.Firewall, rs table.Ruleset) {
	t.Helper()
	if err := fw.Apply(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	p, err := fw.Plan(t.Context(), rs)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Empty() {
		t.Errorf("left to do after Apply:\n%v", p)
	}
}

// The kernel ties CHECKSUM to the table name mangle, which only iptables' own
// tables have.
var tied = map[string]bool{"shorewall.rules": true}

// uncounted is a policy without counters, which iptables-restore -c refuses.
var uncounted = regexp.MustCompile(`(?m)^:\S+ \S+$`)

// Every file of the corpus goes down and comes up the same, prints as the real
// iptables saves it, and what nft lists of it loads again.
func TestCorpusDownAndUp(t *testing.T) {
	for _, name := range corpus.Rules(t) {
		t.Run(name, func(t *testing.T) {
			f := nf.IPv4
			if corpus.V6(name) {
				f = nf.IPv6
			}
			text := corpus.Text(t, name)
			rs, err := table.Parse(strings.NewReader(text), f)
			if err != nil {
				t.Fatal(err)
			}
			host := labtest.Host(t)
			owner := "corpus"
			if tied[name] {
				owner = backend.Iptables
			}
			fw := firewall(t, host, backend.Config{Owner: owner})
			apply(t, fw, rs)
			got, err := fw.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(rs) {
				t.Errorf("came back otherwise:\n%s", cmp.Diff(rs.String(), got.String()))
			}
			real := oracle.Legacy(t, labtest.Host(t))
			if f == nf.IPv6 {
				real = real.V6()
			}
			if uncounted.MatchString(text) {
				real.MustRestore(text)
			} else {
				real.MustRestore(text, "-c")
			}
			if diff := cmp.Diff(tables(oracle.StripComments(real.Save())), tables(complete(got).String())); diff != "" {
				t.Errorf("the real one saves otherwise (-real +ours):\n%s", diff)
			}
			if strings.Contains(oracle.Nft(t, host).List(), " xt ") {
				return // nft has no words for the kernel's own extensions
			}
			before, after, err := oracle.Reload(t, host)
			if err != nil || before != after {
				t.Errorf("what nft lists does not load again: %v\n%s", err, cmp.Diff(before, after))
			}
		})
	}
}

// complete is a ruleset with the built-in chains that it does not declare.
func complete(rs table.Ruleset) table.Ruleset {
	var all []table.Table
	for t := range rs.Tables() {
		all = append(all, t.Complete())
	}
	return table.NewRuleset(all...)
}

// tables are save text's tables by name, their lines sorted where order means
// nothing: chains' declarations.
func tables(text string) map[string][]string {
	out := map[string][]string{}
	name := ""
	for line := range strings.Lines(text) {
		if n, ok := strings.CutPrefix(line, "*"); ok {
			name = n
		}
		out[name] = append(out[name], line)
	}
	return out
}

func mailhost() table.Ruleset {
	return table.NewRuleset(table.New(table.Filter,
		chain.BuiltIn(chain.Input, chain.Drop,
			rule.Accept(match.In("lo")),
			rule.Accept(match.Dports(nf.TCP, 25, 80)),
			rule.Accept(match.States(match.Related|match.Established)),
			rule.Jump("neighbours", match.Proto(nf.ICMPv6)),
		),
		chain.New("neighbours", rule.NeighborDiscovery()...),
		chain.BuiltIn(chain.Forward, chain.Accept),
		chain.BuiltIn(chain.Output, chain.Accept, rule.Accept(match.Out("lo"))),
	))
}

// What others made in the namespace is as it was, whatever we do beside it.
func TestOtherTablesAreLeftAlone(t *testing.T) {
	host := labtest.Host(t)
	ipt, tool := oracle.NFTVariant(t, host), oracle.Nft(t, host)
	ipt.Must("-A", "INPUT", "-p", "tcp", "-m", "multiport", "--dports", "1,2", "-j", "DROP")
	tool.MustLoad("table inet theirs {\n set s {\n type ipv4_addr\n elements = { 10.0.0.1 }\n }\n chain c {\n ip saddr @s counter drop\n }\n}\n")
	before := tool.List()

	fw := firewall(t, host, backend.Config{Owner: "mailhost"})
	apply(t, fw, mailhost())
	snap, err := fw.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	makers := map[string]string{}
	for _, o := range snap.Others() {
		makers[o.Family+" "+o.Name] = o.Maker
	}
	if diff := cmp.Diff(map[string]string{"ip filter": "iptables-nft", "inet theirs": "?"}, makers); diff != "" {
		t.Error(diff)
	}
	if err := fw.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := tool.List(); after != before {
		t.Errorf("their tables changed:\n%s", cmp.Diff(before, after))
	}
}

func TestATableOfOurNameThatIsNotOurs(t *testing.T) {
	host := labtest.Host(t)
	oracle.Nft(t, host).MustLoad("table inet mailhost-filter {\n}\n")
	fw := firewall(t, host, backend.Config{Owner: "mailhost"})
	if err := fw.Apply(t.Context(), mailhost()); !errors.Is(err, backend.ErrNotOurs) {
		t.Error(err)
	}
}

// A rule with an expression that we do not know is shown, kept while others
// change, and written back to the byte.
func TestUnknownRulesSurvive(t *testing.T) {
	host := labtest.Host(t)
	tool := oracle.Nft(t, host)
	fw := firewall(t, host, backend.Config{Owner: "x"})
	apply(t, fw, table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Accept), chain.New("A"))))
	tool.Must("add", "rule", "inet", "x-filter", "A", "meta", "random", "<", "5", "counter", "accept")
	before := tool.List()
	rs, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tb, _ := rs.Table(table.Filter)
	a, _ := tb.Chain("A")
	r, _ := a.Rule(1)
	if !r.Opaque() {
		t.Errorf("read as %v", r)
	}
	if p, err := fw.Plan(t.Context(), rs); err != nil || !p.Empty() {
		t.Errorf("what was read is not what is there: %v, %v", p, err)
	}
	err = fw.Edit(t.Context(), func(e *backend.Edit) error {
		e.Chain(table.Filter, "A").Insert(1, rule.Drop(match.In("lo")))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(before, "\tchain A {\n", "\tchain A {\n\t\tiifname \"lo\" counter packets 0 bytes 0 drop\n", 1)
	if after := tool.List(); after != want {
		t.Errorf("(-want +got)\n%s", cmp.Diff(want, after))
	}
}

func TestNothingIsAppliedWhenARuleIsRefused(t *testing.T) {
	host := labtest.Host(t)
	fw := firewall(t, host, backend.Config{Owner: "x"})
	var rules []rule.Rule
	for i := range 1000 {
		rules = append(rules, rule.Accept(match.Dport(nf.TCP, uint16(i+1))))
	}
	rules[499] = rule.Drop(match.Raw{Expr: "nosuch"})
	err := fw.Apply(t.Context(), table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, rules...))))
	es := backend.Errors(err)
	if len(es) != 1 || es[0].Rule != 500 || es[0].Chain != "INPUT" || es[0].Table != table.Filter.IPv4() || es[0].Extension != "nosuch" || !errors.Is(err, backend.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	if list := oracle.Nft(t, host).List(); list != "" {
		t.Errorf("left behind:\n%s", list)
	}
	if err := fw.Check(t.Context(), table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, rules...)))); !errors.Is(err, backend.ErrUnsupported) {
		t.Errorf("Check: %v", err)
	}
}

// What a newer release wrote is read, and not written to.
func TestANewerReleasesTable(t *testing.T) {
	host := labtest.Host(t)
	tool := oracle.Nft(t, host)
	tool.MustLoad("table inet x-filter {\n comment \"gatehouse/2 x\"\n chain INPUT {\n type filter hook input priority 0; policy drop;\n iifname \"lo\" counter accept\n }\n}\n")
	before := tool.List()
	fw := firewall(t, host, backend.Config{Owner: "x"})
	rs, err := fw.Read(t.Context())
	tb, _ := rs.Table(table.Filter)
	c, _ := tb.Chain(chain.Input)
	if r, _ := c.Rule(1); err != nil || r.String() != "-i lo -j ACCEPT" {
		t.Errorf("read %v, %v", rs, err)
	}
	for name, change := range map[string]func() error{
		"Apply":  func() error { return fw.Apply(t.Context(), mailhost()) },
		"Remove": func() error { return fw.Remove(t.Context()) },
	} {
		if err := change(); !errors.Is(err, backend.ErrNewer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := tool.List(); after != before {
		t.Errorf("written to:\n%s", cmp.Diff(before, after))
	}
}

// Priorities are iptables' plus the offset, and a changed offset is a change.
func TestOffset(t *testing.T) {
	host := labtest.Host(t)
	for _, offset := range [...]int{0, -49, 90, 0} {
		fw := firewall(t, host, backend.Config{Owner: "x", Offset: offset})
		var tables []table.Table
		for _, id := range [...]table.ID{table.Filter, table.NAT, table.Mangle, table.Raw, table.Security} {
			tables = append(tables, table.New(id).Complete())
		}
		apply(t, fw, table.NewRuleset(tables...))
		snap, err := firewall(t, host, backend.Config{Owner: "onlooker"}).Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, o := range snap.Others() {
			name := strings.TrimPrefix(o.Name, "x-")
			id, _ := table.Named(name)
			for _, h := range o.Hooks {
				want, ok := id.HookOf(h.Chain)
				if !ok || h.Priority != int(want.Priority)+offset || h.Type != want.Type || h.Point != strings.ToLower(h.Chain) {
					t.Errorf("offset %d: %s %s is %+v", offset, o.Name, h.Chain, h)
				}
				seen++
			}
		}
		if seen != 3+4+5+2+3 {
			t.Errorf("offset %d: %d base chains", offset, seen)
		}
	}
}
