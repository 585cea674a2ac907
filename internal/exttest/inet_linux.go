package exttest

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// InInet wants a rule for both families programmed into an inet table, or, where
// inet is false, into an ip and an ip6 table, and taken by the kernel there.
func InInet(t *testing.T, r rule.Rule, inet bool) {
	t.Helper()
	host := labtest.Host(t)
	fw, err := nft.OpenIn(t.Context(), nft.FD(host.FD()), backend.Config{Owner: ownerBoth})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	if err := fw.Apply(t.Context(), table.NewRuleset(table.New(table.Filter, chain.New("c", r)))); err != nil {
		t.Error(err)
		return
	}
	want := "table inet extboth-filter\n"
	if !inet {
		want = "table ip extboth-filter\ntable ip6 extboth-filter\n"
	}
	if got := oracle.Nft(t, host).Must("list", "tables"); got != want {
		t.Errorf("%v is in\n%swant\n%s", r, got, want)
	}
}
