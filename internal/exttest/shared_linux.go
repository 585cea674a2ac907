package exttest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Shared holds the owner iptables to iptables-nft: where the real one has made
// the tables there is nothing for us to change, since each rule of ours is the
// same expressions, and each of its rules reads as the block says. Blocks whose
// rules are spelled otherwise on purpose say "shared: differs", and why.
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
		if same := sharedBlock(ctx, t, fw, b, tab); same == b.Differs {
			t.Errorf("%v: %v: the program is iptables-nft's: %t, the block says differs: %t", b, j, same, b.Differs)
		}
		j.Must("-t", b.Table, "-F")
	}
}

// sharedBlock says whether what iptables-nft made is what we would make.
func sharedBlock(ctx context.Context, t *testing.T, fw *backend.Firewall, b *Block, want table.Table) bool {
	plan, err := fw.Plan(ctx, table.NewRuleset(want))
	if err != nil {
		t.Errorf("%v: %v", b, err)
		return false
	}
	if !plan.Empty() && !b.Differs {
		for c := range plan.Changes() {
			t.Logf("%v: %v", b, c)
		}
	}
	return plan.Empty()
}
