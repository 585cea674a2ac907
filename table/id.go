package table

import (
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ID names a table: which of the five, and for which family. The zero value is no
// table. Filter is for both families; Filter.IPv4() is the table of iptables alone.
type ID uint8

// The five tables, for both families.
const (
	Filter ID = iota + 1
	NAT
	Mangle
	Raw
	Security
)

// kindMask is the bits of an ID that say which of the five it is; the family is
// in those above.
const kindMask ID = 0x0f

// Named is the table of that name, for both families.
func Named(name string) (id ID, ok bool) {
	for id := Filter; id <= Security; id++ {
		if id.Name() == name {
			return id, true
		}
	}
	return 0, false
}

// Valid says whether the ID names a table.
func (id ID) Valid() bool {
	k, f := id&kindMask, id.Family()
	return k >= Filter && k <= Security && (f == nf.Both || f == nf.IPv4 || f == nf.IPv6)
}

// Family is the family of the table.
func (id ID) Family() nf.Family { return nf.Family(id >> 4) }

// For is the same table for family f.
func (id ID) For(f nf.Family) ID { return id&kindMask | ID(f)<<4 }

// IPv4 is the same table for IPv4 only, as iptables has it.
func (id ID) IPv4() ID { return id.For(nf.IPv4) }

// IPv6 is the same table for IPv6 only, as ip6tables has it.
func (id ID) IPv6() ID { return id.For(nf.IPv6) }

// Name is iptables' name: "filter"; "" for no table.
func (id ID) Name() string {
	switch id & kindMask {
	case Filter:
		return "filter"
	case NAT:
		return "nat"
	case Mangle:
		return "mangle"
	case Raw:
		return "raw"
	case Security:
		return "security"
	}
	return ""
}

// String is the name, behind the family where it is one: "IPv4 filter".
func (id ID) String() string {
	switch {
	case !id.Valid():
		return "no table"
	case id.Family() == nf.Both:
		return id.Name()
	}
	return id.Family().String() + " " + id.Name()
}

// order is the table's place in iptables-nft-save's output; that of
// iptables-legacy is the order in which the kernel loaded its modules.
func (id ID) order() int {
	switch id & kindMask {
	case Mangle:
		return 1
	case Security:
		return 2
	case Raw:
		return 3
	case Filter:
		return 4
	}
	return 5
}

// Hook is where a built-in chain is attached.
type Hook struct {
	Chain    string // INPUT
	Type     string // nf_tables' chain type: "filter", "nat" or "route"
	Num      uint32 // NF_INET_…: PREROUTING 0, INPUT 1, FORWARD 2, OUTPUT 3, POSTROUTING 4
	Priority int32  // NF_IP_PRI_…, before an owner's offset; lower is asked first
}

// BuiltIns are the table's built-in chains in iptables' order, with the hooks,
// types and priorities that they have there (include/uapi/linux/netfilter_ipv4.h,
// net/ipv4/netfilter/iptable_*.c). An ID that is no table has none.
func (id ID) BuiltIns() []Hook {
	pre, in, fwd, out, post := hook(chain.Prerouting, 0), hook(chain.Input, 1), hook(chain.Forward, 2), hook(chain.Output, 3), hook(chain.Postrouting, 4)
	switch id & kindMask {
	case Filter:
		return at("filter", 0, in, fwd, out)
	case Security:
		return at("filter", 150, in, fwd, out)
	case Raw:
		return at("filter", -300, pre, out)
	case Mangle:
		hooks := at("filter", -150, pre, in, fwd, out, post)
		hooks[3].Type = "route"
		return hooks
	case NAT:
		hooks := at("nat", -100, pre, in, out, post)
		hooks[1].Priority, hooks[3].Priority = 100, 100
		return hooks
	}
	return nil
}

func hook(name string, num uint32) Hook { return Hook{Chain: name, Num: num} }

// at gives hooks their type and priority.
func at(kind string, priority int32, hooks ...Hook) []Hook {
	for i := range hooks {
		hooks[i].Type, hooks[i].Priority = kind, priority
	}
	return hooks
}

// HookOf is the hook of the built-in chain of that name; ok is false where the
// table has none.
func (id ID) HookOf(name string) (h Hook, ok bool) {
	for _, h := range id.BuiltIns() {
		if h.Chain == name {
			return h, true
		}
	}
	return Hook{}, false
}
