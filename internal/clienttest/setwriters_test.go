package clienttest

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// Eight programs of one owner ban at once, and no ban is lost.
func TestBansOfManyWriters(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		w.reload = func(testing.TB) {}
		fw := w.client(t)
		w.apply(t, fw, table.NewRuleset(banRules().WithSets(bans, trusted)))
		const writers, each = 8, 20
		var all sync.WaitGroup
		for i := range writers {
			fw := w.client(t)
			all.Go(func() {
				for j := range each {
					err := fw.Edit(t.Context(), func(e *backend.Edit) error {
						e.Set(table.Filter, bans).Add(set.Net(netip.AddrFrom4([4]byte{10, 0, byte(i), byte(j)})))
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		n := 0
		for _, err := range fw.Elements(t.Context(), table.Filter, bans) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != writers*each {
			t.Errorf("%d bans of %d", n, writers*each)
		}
	})
}
