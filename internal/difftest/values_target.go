package difftest

import (
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// targetValues are the values of targets' options.
var targetValues = map[string]Value{
	"CT --helper":           one("ftp", "sip", "tftp", "nosuch"),
	"CT --timeout":          one("nosuch"),
	"CT --ctevents":         list(one("new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark", "NEW"), 3),
	"CT --expevents":        one("new", "new", "new,new", "old"),
	"DNAT --to-destination": natTo(true),
	"SNAT --to-source":      natTo(false),
	"LOG --log-prefix":      text(29),
	"REJECT --reject-with":  rejectWith,
	"TCPMSS --set-mss":      number(0, 65535),
}

func natTo(base bool) Value {
	return func(g *Generator) string {
		to := addrs(g)
		if g.rnd.IntN(8) == 0 {
			to = ""
		}
		if g.rnd.IntN(2) == 0 {
			return to
		}
		p := span(port, "-")
		if base && g.rnd.IntN(4) == 0 {
			p = both(span(port, "-"), "/", port)
		}
		if g.family == nf.IPv6 && to != "" && g.rnd.IntN(10) > 0 {
			to = "[" + to + "]"
		}
		return to + ":" + p(g)
	}
}

func rejectWith(g *Generator) string {
	if g.family == nf.IPv6 {
		return one("icmp6-no-route", "no-route", "icmp6-adm-prohibited", "adm-prohibited", "icmp6-addr-unreachable", "addr-unreach",
			"icmp6-port-unreachable", "port-unreach", "tcp-reset", "icmp6-policy-fail", "policy-fail", "icmp6-reject-route", "reject-route",
			"tcp-res", "icmp6-p", "icmp6", "net-unreach")(g)
	}
	return one("icmp-net-unreachable", "net-unreach", "icmp-host-unreachable", "host-unreach", "icmp-proto-unreachable", "proto-unreach",
		"icmp-port-unreachable", "port-unreach", "icmp-net-prohibited", "net-prohib", "icmp-host-prohibited", "host-prohib", "tcp-reset", "tcp-rst",
		"icmp-admin-prohibited", "admin-prohib", "icmp-net", "icmp-n", "ICMP-net-prohibited", "echo-reply", "nosuch")(g)
}
