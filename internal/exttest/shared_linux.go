package exttest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Shared holds the owner iptables to iptables-nft: what the kernel dumps of a rule
// is the same bytes, whoever made it, and each of the real one's rules reads as
// the block says. Blocks whose rules are spelled otherwise on purpose say
// "shared: differs", and why.
//
// later are the extensions whose form there is not written yet.
func Shared(t *testing.T, files []File, later ...string) {
	for _, f := range files {
		if slices.Contains(later, f.Name) {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			f.needs(t)
			for _, fam := range [...]nf.Family{nf.IPv4, nf.IPv6} {
				host := f.host(t)
				real := oracle.NFTVariant(t, host)
				if fam == nf.IPv6 {
					real = real.V6()
				}
				shared(t, host, judge{real, fam, true}, f)
			}
		})
	}
}

// shared compares each block's rules with the real one's.
func shared(t *testing.T, host *lab.Host, j judge, f File) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	fw, err := nft.OpenIn(ctx, nft.FD(host.FD()), backend.Config{Owner: backend.Iptables})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	for _, b := range f.Blocks {
		if b.Refused() || !j.concerns(b) || !j.takes(b) {
			continue
		}
		rs, err := rule.ParseLine(b.Args, j.family)
		if err != nil {
			continue // Anywhere says so
		}
		if r := j.Restore(restoreText([]*Block{b}, true)); r.Exit != 0 {
			continue // IPTables says so
		}
		tab, err := tableOf(b.Table, j.family, map[string][]rule.Rule{b.Chain: rs})
		if err != nil {
			t.Errorf("%v: %v", b, err)
			continue
		}
		sharedBlock(ctx, t, fw, host, j, b, rs, tab)
	}
}

// sharedBlock compares what iptables-nft has just made of a block with what we
// make of it.
func sharedBlock(ctx context.Context, t *testing.T, fw *backend.Firewall, host *lab.Host, j judge, b *Block, rs []rule.Rule, want table.Table) {
	fam := program.IP
	if j.family == nf.IPv6 {
		fam = program.IP6
	}
	theirs := RuleBytes(t, host, fam, b.Table, b.Chain)
	read, err := fw.Read(ctx, want.ID())
	if err != nil {
		t.Errorf("%v: %v", b, err)
		return
	}
	if got := rulesIn(read, want.ID(), b.Chain); !b.Differs && b.NFTSave == "" && !slices.EqualFunc(got, rs, func(r, s rule.Rule) bool { return r.String() == s.In(j.family).String() }) {
		t.Errorf("%v: %v made what reads as\n     %v\nwant %v", b, j, got, rs)
	}
	j.Must("-t", b.Table, "-F")
	if err := fw.Apply(ctx, table.NewRuleset(want)); err != nil {
		t.Errorf("%v: %v", b, err)
		return
	}
	ours := RuleBytes(t, host, fam, b.Table, b.Chain)
	if same := slices.Equal(theirs, ours); same == b.Differs {
		t.Errorf("%v: the program is %v's: %t, the block says differs: %t; ours and the real one's:\n%s\n%s",
			b, j, same, b.Differs, strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
	}
	j.Must("-t", b.Table, "-F")
}

// rulesIn are the rules of one chain.
func rulesIn(rs table.Ruleset, id table.ID, name string) (rules []rule.Rule) {
	tab, _ := rs.Table(id)
	c, _ := tab.Chain(name)
	for _, r := range c.Rules() {
		rules = append(rules, r)
	}
	return rules
}
