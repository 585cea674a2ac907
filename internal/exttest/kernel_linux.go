package exttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The owners of the three kinds of tables that a file's rules are put into, all
// in one host: for one family each, for both, and iptables' own.
const (
	ownerOne  = "exttest"
	ownerBoth = "extboth"
)

// Kernel programs each rule that has a form there into each kind of table, reads
// it back, and compares nft's listing. That of the rules without kernel
// extensions, which nft cannot load, must load again and be the same.
func Kernel(t *testing.T, files []File) {
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			f.needs(t)
			all, native := f.host(t), labtest.Host(t)
			placed := map[string][]*entry{}
			for _, v := range variantsOf() {
				putInto(t, all, v, f, placed, false)
				if !v.env.Plain { // iptables-nft's forms are not chosen for nft to load
					putInto(t, native, v, f, map[string][]*entry{}, true)
				}
			}
			compareLines(t, placed, nftLines(oracle.Nft(t, all).List()))
			reloads(t, native)
			for _, b := range f.Blocks {
				if b.Reload != "" {
					reloadsOtherwise(t, b)
				}
			}
		})
	}
}

// variantsOf are all kinds of tables.
func variantsOf() []variant {
	b := &Block{Family: nf.Both}
	return b.variants()
}

func (v variant) owner() string {
	switch {
	case v.env.Plain:
		return backend.Iptables
	case v.family == nf.Both:
		return ownerBoth
	}
	return ownerOne
}

// entry is a rule that was programmed.
type entry struct {
	block *Block
	rule  rule.Rule
	nft   string // the line that is expected; "": any
}

// putInto programs a file's rules, or the native ones, into one kind of table and
// reads them back.
func putInto(t *testing.T, host *lab.Host, v variant, f File, placed map[string][]*entry, native bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	fw, err := nft.OpenIn(ctx, nft.FD(host.FD()), backend.Config{Owner: v.owner()})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	var names []string
	for _, b := range f.Blocks {
		if !slices.Contains(names, b.Table) {
			names = append(names, b.Table)
		}
	}
	for _, name := range names {
		chains := v.entries(f, name, native)
		if len(chains) == 0 {
			continue
		}
		tab, err := applied(ctx, fw, v, name, chains)
		if err != nil {
			t.Errorf("%v, %s: %v", v, name, err)
			continue
		}
		for chain, es := range chains {
			sameRules(t, v, tab, chain, es)
			placed[v.tableKey(name)+" "+chain] = es
		}
	}
}

// tableKey is how nft's listing heads a table.
func (v variant) tableKey(name string) string {
	if !v.env.Plain {
		name = v.owner() + "-" + name
	}
	return v.env.Family.String() + " " + name
}

// entries are the rules of a file for one table that have a form in the variant,
// by chain.
func (v variant) entries(f File, name string, native bool) map[string][]*entry {
	out := map[string][]*entry{}
	for _, b := range f.Blocks {
		if _, ok := b.Family.And(v.family); b.Refused() || b.Kernel != "" || b.Table != name || !ok {
			continue
		}
		rs, err := rule.ParseLine(b.Args, b.Family)
		if err != nil {
			continue // Anywhere says so
		}
		v := v
		v.env.Table, v.env.Chain = name, builtInName(b.Chain)
		for i, r := range rs {
			p, err := v.compile(r)
			if p == nil || err != nil || native && (p.XT() || b.Reload != "") {
				continue
			}
			e := &entry{block: b, rule: r.In(v.family)}
			if i == len(rs)-1 && v.first(b, r) {
				e.nft = b.NFT
			}
			out[b.Chain] = append(out[b.Chain], e)
		}
	}
	return out
}

// first says whether v is the variant whose texts the block gives: the first
// that has a form for the rule.
func (v variant) first(b *Block, r rule.Rule) bool {
	for _, w := range b.variants() {
		if p, err := w.compile(r); p != nil && err == nil {
			return w.env == v.env
		}
	}
	return false
}

// applied makes the table and reads it back.
func applied(ctx context.Context, fw *backend.Firewall, v variant, name string, chains map[string][]*entry) (table.Table, error) {
	rules := map[string][]rule.Rule{}
	for chain, es := range chains {
		for _, e := range es {
			rules[chain] = append(rules[chain], e.rule)
		}
	}
	t, err := tableOf(name, v.family, rules)
	if err != nil {
		return t, err
	}
	if err := fw.Apply(ctx, table.NewRuleset(t)); err != nil {
		return t, err
	}
	rs, err := fw.Read(ctx)
	if err != nil {
		return t, err
	}
	got, ok := rs.Table(t.ID())
	if !ok {
		return t, fmt.Errorf("is not there when it is read")
	}
	plan, err := fw.Plan(ctx, table.NewRuleset(t))
	if err == nil && !plan.Empty() {
		err = fmt.Errorf("the plan is not empty after the ruleset was applied")
	}
	return got, err
}

// sameRules compares what was read with what was given.
func sameRules(t *testing.T, v variant, tab table.Table, chain string, want []*entry) {
	c, _ := tab.Chain(chain)
	if c.Len() != len(want) {
		t.Errorf("%v: %s has %d rules when it is read, %d were given", v, chain, c.Len(), len(want))
		return
	}
	for i, got := range c.Rules() {
		if e := want[i-1]; !v.same(e.rule, got) {
			t.Errorf("%v: %v: %s reads back as %s", e.block, v, e.rule, got)
		}
	}
}

// compareLines compares nft's listing with what the blocks expect.
func compareLines(t *testing.T, placed map[string][]*entry, lines map[string][]string) {
	for key, es := range placed {
		got := lines[key]
		if len(got) != len(es) {
			t.Errorf("nft lists %d rules in %s, want %d", len(got), key, len(es))
			continue
		}
		for i, e := range es {
			if e.nft != "" && got[i] != e.nft {
				t.Errorf("%v: %s: nft lists\n     %s\nwant %s", e.block, key, got[i], e.nft)
			}
		}
	}
}

// nftLines splits nft's listing into the rules of each chain, keyed "ip filter INPUT".
func nftLines(listing string) map[string][]string {
	out := map[string][]string{}
	family, chain := "", ""
	for line := range strings.Lines(listing) {
		line = strings.TrimRight(line, "\n")
		text := strings.TrimLeft(line, "\t")
		switch depth := len(line) - len(text); {
		case text == "":
		case depth == 0:
			family = strings.TrimSuffix(strings.TrimPrefix(text, "table "), " {")
		case depth == 1 && strings.HasPrefix(text, "chain "):
			chain = family + " " + strings.TrimSuffix(strings.TrimPrefix(text, "chain "), " {")
		case depth == 1:
			chain = ""
		case depth == 2 && chain != "" && !strings.HasPrefix(text, "type "):
			out[chain] = append(out[chain], text)
		}
	}
	return out
}
