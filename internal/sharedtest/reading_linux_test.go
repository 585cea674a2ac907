package sharedtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/oracle/corpus"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// bothWays loads text with iptables-nft and reads it, and applies it and has
// iptables-nft print it.
func bothWays(t *testing.T, host func(testing.TB) *lab.Host, f nf.Family, text string) {
	t.Helper()
	t.Run("theirs", func(t *testing.T) {
		h := host(t)
		x := real(t, h, f)
		x.MustRestore(text, "-c")
		sameText(t, open(t, h), x, f)
	})
	t.Run("ours", func(t *testing.T) {
		h := host(t)
		fw := open(t, h)
		rs, err := table.Parse(strings.NewReader(text), f)
		if err != nil {
			t.Fatal(err)
		}
		if err := fw.Apply(t.Context(), rs); err != nil {
			t.Fatal(err)
		}
		sameText(t, fw, real(t, h, f), f)
	})
}

// Every example in iptables-nft's tables reads as iptables-nft prints it, whoever
// put it there. Left out are those that it saves otherwise than it was told, as
// their "nft-save:" says.
func TestReadingExamples(t *testing.T) {
	for _, file := range files(t) {
		for name, family := range families {
			blocks := slices.DeleteFunc(file.Alike(family), func(b *exttest.Block) bool { return b.NFTSave != "" })
			if len(blocks) == 0 {
				continue
			}
			t.Run(file.Name+", "+name, func(t *testing.T) { bothWays(t, file.Host, family, exttest.RestoreText(blocks)) })
		}
	}
}

// So does every real ruleset that iptables-nft takes.
func TestReadingRulesets(t *testing.T) {
	taken := 0
	for _, name := range corpus.Rules(t) {
		family := nf.IPv4
		if corpus.V6(name) {
			family = nf.IPv6
		}
		text := oracle.StripComments(corpus.Text(t, name))
		if r := real(t, host(t), family).Restore(text, "-c"); r.Exit != 0 {
			t.Logf("%s: iptables-nft-restore: %s", name, r.Stderr)
			continue
		}
		taken++
		t.Run(name, func(t *testing.T) { bothWays(t, host, family, text) })
	}
	if taken < 10 {
		t.Errorf("iptables-nft takes %d rulesets", taken)
	}
}
