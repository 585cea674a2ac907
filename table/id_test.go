package table_test

import (
	"fmt"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The kernel's own: iptable_{filter,nat,mangle,raw,security}.c, and nft list
// ruleset after iptables-nft made every table.
func TestBuiltInChains(t *testing.T) {
	for id, want := range map[table.ID]string{
		table.Filter:   "[{INPUT filter 1 0} {FORWARD filter 2 0} {OUTPUT filter 3 0}]",
		table.NAT:      "[{PREROUTING nat 0 -100} {INPUT nat 1 100} {OUTPUT nat 3 -100} {POSTROUTING nat 4 100}]",
		table.Mangle:   "[{PREROUTING filter 0 -150} {INPUT filter 1 -150} {FORWARD filter 2 -150} {OUTPUT route 3 -150} {POSTROUTING filter 4 -150}]",
		table.Raw:      "[{PREROUTING filter 0 -300} {OUTPUT filter 3 -300}]",
		table.Security: "[{INPUT filter 1 150} {FORWARD filter 2 150} {OUTPUT filter 3 150}]",
		0:              "[]",
	} {
		for _, id := range []table.ID{id, id.IPv4(), id.IPv6()} {
			if got := fmt.Sprint(id.BuiltIns()); got != want {
				t.Errorf("%v: %s, want %s", id, got, want)
			}
		}
	}
	if h, ok := table.NAT.HookOf("INPUT"); !ok || h.Priority != 100 {
		t.Error(h, ok)
	}
	if _, ok := table.Raw.HookOf("INPUT"); ok {
		t.Error("raw has no INPUT")
	}
}

func TestIDs(t *testing.T) {
	for _, tc := range []struct {
		id     table.ID
		name   string
		text   string
		family nf.Family
	}{
		{table.Filter, "filter", "filter", nf.Both},
		{table.NAT.IPv4(), "nat", "IPv4 nat", nf.IPv4},
		{table.Security.IPv4().IPv6(), "security", "IPv6 security", nf.IPv6},
		{table.Raw.IPv6().For(nf.Both), "raw", "raw", nf.Both},
		{table.Mangle.For(nf.IPv6), "mangle", "IPv6 mangle", nf.IPv6},
	} {
		if tc.id.Name() != tc.name || tc.id.String() != tc.text || tc.id.Family() != tc.family || !tc.id.Valid() {
			t.Errorf("%v, want %v", tc.id, tc)
		}
		if id, ok := table.Named(tc.name); !ok || id.For(tc.family) != tc.id {
			t.Error(tc.name, id)
		}
	}
	for _, id := range []table.ID{0, table.ID(0).IPv4(), 6, 0x51, 15} {
		if id.Valid() || id.String() != "no table" {
			t.Errorf("%#x is valid: %v", uint8(id), id)
		}
	}
	if _, ok := table.Named("broute"); ok {
		t.Error("broute is no table of iptables")
	}
}
