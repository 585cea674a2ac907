package nf

import (
	"strconv"
	"strings"
)

// Protocol is an IP protocol number, as -p takes it. The zero value is "not
// given": iptables itself takes -p 0 for "all", which is said by saying nothing.
type Protocol uint8

// The protocols that extensions know, by their numbers at IANA. Every other
// number is a Protocol as well.
const (
	ICMP    Protocol = 1
	TCP     Protocol = 6
	UDP     Protocol = 17
	DCCP    Protocol = 33
	ESP     Protocol = 50
	AH      Protocol = 51
	ICMPv6  Protocol = 58
	SCTP    Protocol = 132
	MH      Protocol = 135
	UDPLite Protocol = 136
)

// HasPorts says whether the protocol carries ports (tcp, udp, udplite, dccp, sctp).
func (p Protocol) HasPorts() bool {
	switch p {
	case TCP, UDP, UDPLite, DCCP, SCTP:
		return true
	}
	return false
}

// String is the name that iptables-save prints, else the number.
func (p Protocol) String() string {
	if n, ok := protocolNames[p]; ok {
		return n
	}
	return strconv.Itoa(int(p))
}

// ParseProtocol reads a protocol as -p does: a number from 1 to 255 or a name.
// The names are those that IANA registered and Debian's /etc/protocols lists,
// and the aliases of iptables; they are built in, so that the answer is the
// same on a host without that file. "all" and 0 are no protocol: ok is false.
func ParseProtocol(s string) (p Protocol, ok bool) {
	if s != "" && s[0] >= '0' && s[0] <= '9' {
		n, err := strconv.ParseUint(s, 0, 8)
		other := len(s) > 1 && strings.ContainsAny(s[1:2], "bBoO") || strings.Contains(s, "_") // Go's numbers only
		return Protocol(n), err == nil && n != 0 && !other
	}
	s = strings.ToLower(s)
	switch s { // what most rules say
	case "tcp":
		return TCP, true
	case "udp":
		return UDP, true
	}
	if p, ok := protocolAliases[s]; ok {
		return p, true
	}
	for p, name := range protocolNames {
		if name == s {
			return p, true
		}
	}
	return 0, false
}

// protocolAliases are second names: iptables' own and those of /etc/protocols.
var protocolAliases = map[string]Protocol{
	"icmpv6":  ICMPv6,
	"mh":      MH,
	"ipv6-mh": MH,
}

// protocolNames are the assigned numbers with a name on a stock Debian host,
// which is what iptables-save prints there.
var protocolNames = map[Protocol]string{
	1: "icmp", 2: "igmp", 3: "ggp", 4: "ipencap", 5: "st", 6: "tcp", 8: "egp",
	9: "igp", 12: "pup", 17: "udp", 20: "hmp", 22: "xns-idp", 27: "rdp",
	29: "iso-tp4", 33: "dccp", 36: "xtp", 37: "ddp", 38: "idpr-cmtp", 41: "ipv6",
	43: "ipv6-route", 44: "ipv6-frag", 45: "idrp", 46: "rsvp", 47: "gre",
	50: "esp", 51: "ah", 57: "skip", 58: "ipv6-icmp", 59: "ipv6-nonxt",
	60: "ipv6-opts", 73: "rspf", 81: "vmtp", 88: "eigrp", 89: "ospf",
	93: "ax.25", 94: "ipip", 97: "etherip", 98: "encap", 103: "pim",
	108: "ipcomp", 112: "vrrp", 115: "l2tp", 124: "isis", 132: "sctp",
	133: "fc", 135: "mobility-header", 136: "udplite", 137: "mpls-in-ip",
	138: "manet", 139: "hip", 140: "shim6", 141: "wesp", 142: "rohc",
	143: "ethernet",
}
