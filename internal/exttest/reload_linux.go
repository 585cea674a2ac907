package exttest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// reloads wants nft to load what it lists. It may list it otherwise then (it
// leaves out what it can conclude, -p tcp before a port), if the rules are the same.
func reloads(t *testing.T, host *lab.Host) {
	first, second := oracle.Nft(t, host), oracle.Nft(t, labtest.Host(t))
	before := first.List()
	if r := second.Load(before); r.Exit != 0 {
		t.Errorf("nft cannot load what it lists:\n%s", r.Stderr)
		return
	}
	if after := second.List(); before != after && expressions(first) != expressions(second) {
		t.Errorf("nft loads its own listing otherwise:\n%s", firstDifference(before, after))
	}
}

// expressions are those of every rule, without the rules' handles.
func expressions(nft *oracle.NftTool) string {
	var b strings.Builder
	for line := range strings.Lines(nft.Debug()) {
		if strings.HasPrefix(line, "  [ ") || strings.HasPrefix(line, "table ") || strings.HasPrefix(line, "\tchain ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// reloadsOtherwise holds a block to what it says of nft's listing: that nft
// cannot load it, loads the same statements in another order, or others.
func reloadsOtherwise(t *testing.T, b *Block) {
	host := labtest.Host(t)
	rs, err := rule.ParseLine(b.Args, b.Family)
	if err == nil {
		err = b.program(t, host, rs)
	}
	if err != nil {
		t.Errorf("%v: %v", b, err)
		return
	}
	first, second := oracle.Nft(t, host), oracle.Nft(t, labtest.Host(t))
	r := second.Load(first.List())
	switch {
	case b.Reload == "no" && r.Exit == 0:
		t.Errorf("%v: nft loads its listing all the same", b)
	case b.Reload == "no":
	case r.Exit != 0:
		t.Errorf("%v: nft cannot load its listing:\n%s", b, r.Stderr)
	case b.Reload == "wrong" && expressions(first) != expressions(second):
	case expressions(first) == expressions(second):
		t.Errorf("%v: nft loads its listing as it is", b)
	default:
		before, after := statements(t, first), statements(t, second)
		if len(before) == 0 || !slices.Equal(before, after) {
			t.Errorf("%v: nft's listing is\n%s\nand again\n%s", b, strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
	}
}

// program programs a block's rules alone.
func (b *Block) program(t *testing.T, host *lab.Host, rs []rule.Rule) error {
	fw, err := nft.OpenIn(t.Context(), nft.FD(host.FD()), backend.Config{Owner: ownerOne})
	if err != nil {
		return err
	}
	defer fw.Close()
	tab, err := tableOf(b.Table, b.Family, map[string][]rule.Rule{b.Chain: rs})
	if err != nil {
		return err
	}
	return fw.Apply(t.Context(), table.NewRuleset(tab))
}

// statements are those of every rule as nft names them, sorted within each.
func statements(t *testing.T, tool *oracle.NftTool) (out []string) {
	var list struct {
		Nftables []struct {
			Rule *struct{ Expr []json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(tool.JSON()), &list); err != nil {
		t.Fatal(err)
	}
	for i, item := range list.Nftables {
		if item.Rule == nil {
			continue
		}
		var one []string
		for _, e := range item.Rule.Expr {
			one = append(one, fmt.Sprintf("%d: %s", i, e))
		}
		slices.Sort(one)
		out = append(out, one...)
	}
	return out
}

// firstDifference shows where two texts part.
func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d: %s\nagain:   %s", i+1, as[i], bs[i])
		}
	}
	if b == "" {
		return a
	}
	return fmt.Sprintf("%d lines, again %d", len(as), len(bs))
}
