package nft

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// Through a socket as small as an ordinary user's, thousands of elements go into a set
// in force, and out of it, in several transactions.
func TestManyElementsThroughASmallSocket(t *testing.T) {
	host := labtest.Host(t)
	k := connect(t, host)
	k.maxBatch = 212960 - sendOverhead
	fw, err := backend.New(backend.Config{Owner: "small"}, k)
	if err != nil {
		t.Fatal(err)
	}
	nets := set.Set{Name: "nets", Key: set.Nets, Timeout: time.Hour, Counters: true}
	if err := fw.Apply(t.Context(), table.NewRuleset(table.New(table.Filter.IPv4()).WithSets(nets))); err != nil {
		t.Fatal(err)
	}
	var all []set.Element
	for i := range uint32(10_000) {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24|i<<4)
		all = append(all, set.Net(netip.PrefixFrom(netip.AddrFrom4(a), 28)).Comment("x"))
	}
	for _, want := range [][]set.Element{all, all[5000:], nil} {
		err := fw.Edit(t.Context(), func(e *backend.Edit) error {
			e.Set(table.Filter.IPv4(), nets).Set(want...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range fw.Elements(t.Context(), table.Filter.IPv4(), nets) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != len(want) {
			t.Errorf("%d elements, want %d", n, len(want))
		}
	}
}
