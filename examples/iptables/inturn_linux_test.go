//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// The lines of a how-to, in turn by iptables-nft and by us on one host: each
// finds, edits and deletes what the other made, and says what iptables-nft says
// where it does all of them. In the end the tables are the same, as both save them.
func TestSequencesInTurn(t *testing.T) {
	for _, seq := range sequencesIn(t, "howtos") {
		t.Run(seq.name, func(t *testing.T) {
			alone, host := newReal(t, "nft"), labtest.Host(t)
			shared := &realHost{t, host, "nft", alone.lock}
			for i, l := range seq.lines {
				want := alone.run(l)
				if i%2 == 0 {
					compareNFT(t, l, want, ours(t, host, l))
				} else {
					compareNFT(t, l, want, shared.run(l))
				}
			}
			savedByBoth(t, alone, shared)
		})
	}
}

// savedByBoth sees that every table of two hosts is saved as the same text, by
// iptables-nft and by us.
func savedByBoth(t *testing.T, want, got *realHost) {
	t.Helper()
	for _, tool := range []string{"iptables-save", "ip6tables-save"} {
		l := line{text: tool, tool: tool}
		text := rulesOf(want.run(l).Stdout)
		for who, other := range map[string]string{
			"iptables-nft of the other host": got.run(l).Stdout,
			"we of the same host":            ours(t, want.host, l).Stdout,
			"we of the other host":           ours(t, got.host, l).Stdout,
		} {
			if other := rulesOf(other); other != text {
				t.Errorf("%s, %s:\n%s--- real:\n%s", tool, who, other, text)
			}
		}
	}
}

// rulesOf is what is saved of the tables that have rules or chains of their own,
// without counters and in the order of their names: a table that was only looked
// at may be there or not.
func rulesOf(saved string) string {
	var out []string
	for _, table := range strings.Split(savedText(saved), "COMMIT\n") {
		var b strings.Builder
		full := false
		for l := range strings.Lines(table) {
			if strings.HasPrefix(l, "#") {
				continue
			}
			l, _, _ = strings.Cut(strings.TrimSuffix(l, "\n"), " [")
			full = full || strings.HasPrefix(l, "-A") || strings.HasSuffix(l, " -") || strings.HasSuffix(l, " DROP")
			b.WriteString(l + "\n")
		}
		if full {
			out = append(out, b.String())
		}
	}
	slices.Sort(out)
	return strings.Join(out, "")
}
