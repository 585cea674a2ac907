package exttest

import (
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// withOwnSets is a table with the sets that its rules look up, each with the key that
// the first of them looks for. Addresses are networks in a set whose name begins
// with nets.
func withOwnSets(t table.Table) table.Table {
	made := map[string]bool{}
	for c := range t.Chains() {
		for _, r := range c.Rules() {
			m, ok := rule.Find[match.Own](r)
			name, _, _ := m.Set.Get()
			if !ok || made[name] {
				continue
			}
			made[name] = true
			t = t.WithSets(set.Set{Name: name, Key: keyOf(m.By, strings.HasPrefix(name, "nets"))})
		}
	}
	return t
}

// keyOf is the key that fields look for.
func keyOf(by match.By, nets bool) set.Key {
	var keys []set.Key
	for _, f := range by.Fields() {
		switch f {
		case match.SrcAddr, match.DstAddr:
			if nets {
				keys, nets = append(keys, set.Nets), false
				continue
			}
			keys = append(keys, set.Addrs)
		case match.SrcPort, match.DstPort:
			keys = append(keys, set.Ports)
		case match.InIface, match.OutIface:
			keys = append(keys, set.Ifaces)
		case match.PacketMark:
			keys = append(keys, set.Marks)
		default:
			keys = append(keys, set.Protos)
		}
	}
	return set.Tuple(keys...)
}
