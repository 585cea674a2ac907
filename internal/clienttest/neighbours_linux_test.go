package clienttest

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

const theirTables = `table inet theirs {
	set banned {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8 counter packets 3 bytes 180 }
		counter
	}
	map ports {
		type inet_service : verdict
		elements = { 22 : accept, 23 : jump side }
	}
	chain in {
		type filter hook input priority 10; policy accept;
		ip saddr @banned counter packets 7 bytes 420 drop
		tcp dport vmap @ports
		meta random < 5 limit rate 3/second log prefix "odd "
	}
	chain side {
		ct state vmap { established : accept, invalid : drop }
	}
}
table ip client-filters { # nearly our name
	chain INPUT {
	}
}
`

// A whole day of ours beside iptables-nft, nft and another owner: what they made
// is there at the end as it was, handles, counters and userdata included.
func TestNeighboursAreLeftAlone(t *testing.T) {
	ctx := t.Context()
	host := labtest.Host(t)
	ipt, tool := oracle.NFTVariant(t, host), oracle.Nft(t, host)
	ipt.Must("-A", "INPUT", "-p", "tcp", "-m", "multiport", "--dports", "1,2", "-m", "comment", "--comment", "it's theirs", "-j", "DROP")
	ipt.Must("-t", "nat", "-A", "POSTROUTING", "-o", "eth9", "-j", "MASQUERADE")
	ipt.V6().Must("-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED", "-j", "LOG", "--log-prefix", "x: ")
	tool.MustLoad(theirTables)
	w := kernel(t, host)
	neighbour := w.open(t, backend.Config{Owner: "neighbour", Offset: 5})
	if err := neighbour.Apply(ctx, input(counted(dev("eth7"), 77))); err != nil {
		t.Fatal(err)
	}
	theirs, saved := w.list(t), ipt.Save("-c")

	fw := w.client(t)
	beside := func(what string) {
		t.Helper()
		for _, block := range strings.SplitAfter(theirs, "\n}\n") {
			if !strings.Contains(w.list(t), block) {
				t.Fatalf("%s: not as it was:\n%s", what, block)
			}
		}
		if now := ipt.Save("-c"); oracle.StripComments(now) != oracle.StripComments(saved) {
			t.Fatalf("%s: iptables-nft saves otherwise:\n%s", what, diff(saved, now))
		}
	}
	for what, step := range map[string]func() error{
		"apply": func() error { return fw.Apply(ctx, mailhost()) },
		"halves": func() error {
			return fw.Apply(ctx, table.NewRuleset(table.New(table.Mangle, chain.BuiltIn(chain.Forward, chain.Accept,
				rule.New(target.TCPMSS(1400), match.TCP{Flags: match.Is(match.AnySYN)})))))
		},
		"long": func() error {
			var rules []rule.Rule
			for p := range uint16(1500) {
				rules = append(rules, rule.Accept(match.Dport(nf.TCP, p+1)))
			}
			return fw.Apply(ctx, input(rules...))
		},
		"edit": func() error {
			return fw.Edit(ctx, func(e *backend.Edit) error {
				e.Chain(table.Filter, chain.Input).Append(dev("a"))
				e.Chain(table.NAT, "NEW").New()
				return nil
			})
		},
		"check":   func() error { return fw.Check(ctx, mailhost()) },
		"refused": func() error { _ = fw.Apply(ctx, input(rule.New(target.DNAT{}))); return nil },
	} {
		if err := step(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		beside(what)
	}
	snap, err := fw.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	makers := map[string]string{}
	for _, o := range snap.Others() {
		makers[o.Family+" "+o.Name] = o.Maker
		for _, h := range o.Hooks {
			if h.Chain == "in" && (h.Point != "input" || h.Type != "filter" || h.Priority != 10 || h.Policy != "accept" || !h.After) {
				t.Errorf("their hook is shown as %+v", h)
			}
		}
	}
	for name, maker := range theirMakers() {
		if makers[name] != maker {
			t.Errorf("%s is shown as made by %q, want %q (all: %v)", name, makers[name], maker, makers)
		}
	}
	if err := fw.Remove(ctx); err != nil {
		t.Fatal(err)
	}
	if now := w.list(t); now != theirs {
		t.Errorf("after our uninstall:\n%s", diff(theirs, now))
	}
}

// theirMakers are the tables that others made, and who they are taken for.
func theirMakers() map[string]string {
	return map[string]string{
		"ip filter": "iptables-nft", "ip nat": "iptables-nft", "ip6 filter": "iptables-nft",
		"inet theirs": "?", "ip client-filters": "?", "inet neighbour-filter": "neighbour",
	}
}

// A table of our name without our mark is not ours: nothing is done to it, and
// the error says what to do.
func TestSomebodyHasOurName(t *testing.T) {
	host := labtest.Host(t)
	oracle.Nft(t, host).MustLoad("table inet client-filter {\n\tchain INPUT {\n\t}\n}\n")
	w := kernel(t, host)
	before := w.list(t)
	fw := w.client(t)
	for what, err := range map[string]error{
		"Apply": fw.Apply(t.Context(), mailhost()), "Remove": fw.Remove(t.Context()), "Check": fw.Check(t.Context(), mailhost()),
		"Edit": fw.Edit(t.Context(), func(e *backend.Edit) error { e.Chain(table.Filter, chain.Input).Flush(); return nil }),
	} {
		if !errors.Is(err, backend.ErrNotOurs) || len(backend.Errors(err)) != 1 || backend.Errors(err)[0].Hint == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if now := w.list(t); now != before {
		t.Errorf("changed:\n%s", diff(before, now))
	}
}

// Rules that others put into our table, with expressions that we have no words
// for, are shown as opaque and stay as they are whatever happens around them.
func TestRulesWeDoNotKnow(t *testing.T) {
	host := labtest.Host(t)
	tool := oracle.Nft(t, host)
	w := kernel(t, host)
	fw := w.client(t)
	w.apply(t, fw, table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Accept, dev("a"), dev("b")), chain.New("SIDE"))))
	for _, text := range []string{
		"meta random < 5 counter packets 9 bytes 900 accept",
		"ct count over 20 counter drop",
		"ip dscp set cs1 counter",
		"numgen inc mod 3 0 counter packets 4 bytes 400 comment \"every third\"",
	} {
		tool.Must(strings.Fields("add rule inet client-filter INPUT " + strings.ReplaceAll(text, "\"every third\"", "\"third\""))...)
	}
	theirs := theirRules(w.list(t))
	if len(theirs) != 4 {
		t.Fatalf("%d of their rules in\n%s", len(theirs), w.list(t))
	}
	rs := read(t, fw)
	opaque := 0
	for _, r := range lines(t, fw, table.Filter, chain.Input) {
		if r.Opaque() {
			opaque++
			if !strings.Contains(r.String(), "nft --expr") && !strings.Contains(r.String(), "NFT --expr") {
				t.Errorf("an opaque rule prints as %v", r)
			}
		}
	}
	if opaque != 4 {
		t.Errorf("%d rules are opaque", opaque)
	}
	w.holds(t, fw, rs)
	edit(t, fw, table.Filter, chain.Input, func(c *backend.ChainEdit) {
		c.Insert(1, rule.Drop(match.In("x")))
		c.Append(rule.Drop(match.In("y")))
		c.Delete(dev("a"))
	})
	if now := theirRules(w.list(t)); strings.Join(now, "") != strings.Join(theirs, "") {
		t.Errorf("after an edit:\n%s", diff(strings.Join(theirs, ""), strings.Join(now, "")))
	}
	// Saved, flushed and restored they are what they were, but for the handles.
	text := saved(t, fw)
	if err := fw.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	back, err := table.Parse(strings.NewReader(text), nf.Both)
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, fw, back)
	if a, b := withoutHandles(theirs), withoutHandles(theirRules(w.list(t))); a != b {
		t.Errorf("restored:\n%s", diff(a, b))
	}
}

// theirRules are the listed lines of INPUT that are none of ours, which all name
// an interface.
func theirRules(list string) []string {
	var out []string
	for line := range strings.Lines(list) {
		if strings.HasPrefix(line, "\t\t") && !strings.Contains(line, "iifname") && !strings.Contains(line, "hook") {
			out = append(out, line)
		}
	}
	return out
}

func withoutHandles(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		l, _, _ = strings.Cut(l, " # handle")
		b.WriteString(l + "\n")
	}
	return b.String()
}
