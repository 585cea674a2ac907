package sharedtest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// byTable splits save text: table by table, since their order is nobody's.
func byTable(text string) map[string]string {
	out := map[string]string{}
	name := ""
	for line := range strings.Lines(oracle.StripComments(text)) {
		if strings.HasPrefix(line, "*") {
			name = strings.TrimSpace(line)
		}
		out[name] += line
	}
	return out
}

// ours is what we read, as save text with counters. Built-in chains that the
// kernel has not, iptables prints as empty.
func ours(t testing.TB, fw *backend.Firewall, f nf.Family) string {
	t.Helper()
	rs, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []table.Table
	for t := range rs.For(f).Tables() {
		all = append(all, t.Complete())
	}
	var b strings.Builder
	if _, err := table.NewRuleset(all...).Save(&b, table.Saving{Counters: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sameText compares what we print of the tables with what iptables-nft prints.
func sameText(t testing.TB, fw *backend.Firewall, x *oracle.IPTables, f nf.Family) bool {
	t.Helper()
	mine, theirs := byTable(ours(t, fw, f)), byTable(x.Save("-c"))
	if maps.Equal(mine, theirs) {
		return true
	}
	for name := range theirs {
		if d := difference(mine[name], theirs[name]); d != "" {
			t.Errorf("%s: we print (+) what iptables-nft prints otherwise (-):\n%s", name, d)
		}
	}
	for name := range mine {
		if theirs[name] == "" {
			t.Errorf("%s: iptables-nft prints nothing of it", name)
		}
	}
	return false
}

// difference are the lines of one text that the other has not, at most ten.
func difference(mine, theirs string) string {
	if mine == theirs {
		return ""
	}
	a, b := strings.Split(theirs, "\n"), strings.Split(mine, "\n")
	var out []string
	for i := range max(len(a), len(b)) {
		x, y := "", ""
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			out = append(out, "- "+x, "+ "+y)
		}
	}
	return strings.Join(slices.Concat(out[:min(len(out), 20)], []string{""}), "\n")
}
