package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// EUI64 is -m eui64: the lower half of the IPv6 source address is made of the
// hardware address that the packet was sent from. It implies IPv6, is for
// packets that came in, and has no options.
//
// It is the kernel's own ip6t_eui64, which ip6 tables have and inet tables have
// not: nothing native compares one part of a packet with another. ip6tables -L
// prints no blank before it and one behind it, unlike ours. It mirrors
// net/ipv6/netfilter/ip6t_eui64.c.
type EUI64 struct{}

// Name is "eui64".
func (EUI64) Name() string { return eui64.Name }

func (EUI64) ext() option.Extension { return eui64 }

var eui64 = &option.Spec[EUI64]{
	Name:     "eui64",
	Families: nf.IPv6,
	Needs: func(EUI64) option.Needs {
		return option.Needs{Chains: []string{"PREROUTING", "INPUT", "FORWARD"}}
	},
	List: func(EUI64, *option.Lister) string { return option.Unspaced + "eui64 " },
	XT: option.XTStruct(option.XT[EUI64]{}, 0,
		func(EUI64, program.Env) xtables.EUI64 { return xtables.EUI64{} },
		func(xtables.EUI64, program.Env) (EUI64, bool) { return EUI64{}, true }),
}

// Compile leaves it to ip6t_eui64.
func (m EUI64) Compile(c *program.Code) error { return eui64.Kernel(c, m) }
