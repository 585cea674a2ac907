package difftest

// matchValues are the values of matches' options that have one of their own, by
// extension and option.
var matchValues = map[string]Value{
	"addrtype --src-type": addrTypes,
	"addrtype --dst-type": addrTypes,

	"comment --comment": text(255),

	"conntrack --ctstate":     list(one("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT", "new", "Est", "NONE"), 4),
	"conntrack --ctproto":     protocol,
	"conntrack --ctstatus":    list(one("NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "assured", "none"), 4),
	"conntrack --ctexpire":    span(number(0, 0xffffffff), ":"),
	"conntrack --ctdir":       one("ORIGINAL", "REPLY", "ORIGINAL", "REPLY", "original", "BOTH"),
	"state --state":           list(one("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "new", "SNAT"), 4),
	"icmp --icmp-type":        icmpType,
	"icmp6 --icmpv6-type":     icmp6Type,
	"length --length":         open(number(0, 65535), ":"),
	"limit --limit":           with(number(1, 10000), "/", one("s", "sec", "second", "m", "min", "minute", "h", "hour", "d", "day", "seconds", "S", "week")),
	"mac --mac-source":        mac,
	"multiport --sports":      list(span(port, ":"), 15),
	"multiport --dports":      list(span(port, ":"), 15),
	"multiport --ports":       list(span(port, ":"), 15),
	"owner --uid-owner":       either(span(number(0, 0xfffffffe), "-"), one("root", "nobody", "nosuchuser")),
	"owner --gid-owner":       either(span(number(0, 0xfffffffe), "-"), one("root", "nogroup", "nosuchgroup")),
	"pkttype --pkt-type":      one("unicast", "broadcast", "multicast", "otherhost", "UNICAST", "host", "bcast", "mcast"),
	"statistic --mode":        one("random", "nth", "random", "nth", "never"),
	"statistic --probability": one("0", "1", "0.5", "0.01", "0.333333333", ".25", "1e-3", "0.00000000001", "1.0000001", "0x1p-4", "-0.1", "0.99999999999"),
	"statistic --packet":      number(0, 12),
	"statistic --every":       either(number(1, 20), number(1, 0xffffffff)),
	"tcp --tcp-flags":         list(one("SYN", "ACK", "FIN", "RST", "URG", "PSH", "ALL", "NONE", "syn", "Ack", "ECE"), 4),
	"tcp --tcp-option":        number(1, 255),
}

var addrTypes = list(one("UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT",
	"THROW", "NAT", "XRESOLVE", "local", "UNI", "NONE"), 3)

var protocol = either(number(0, 255), one("tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "icmp6", "sctp", "dccp", "udplite", "esp", "ah",
	"gre", "all", "TCP", "Udp", "mh", "ipv6-mh", "mobility-header", "mobile", "ipcomp", "ip", "hopopt", "ospf", "nosuch"))

var icmpType = either(with(number(0, 255), "/", number(0, 255)), one("any", "echo-request", "echo-reply", "ping", "pong", "destination-unreachable",
	"network-unreachable", "host-unreachable", "port-unreachable", "fragmentation-needed", "source-quench", "redirect", "host-redirect",
	"time-exceeded", "ttl-exceeded", "ttl-zero-during-transit", "parameter-problem", "required-option-missing", "timestamp-request",
	"address-mask-reply", "router-advertisement", "communication-prohibited", "TOS-network-unreachable", "ECHO-REQUEST", "echo", "time-ex", "nosuch"))

var icmp6Type = either(with(number(0, 255), "/", number(0, 255)), one("destination-unreachable", "no-route", "communication-prohibited",
	"beyond-scope", "address-unreachable", "port-unreachable", "failed-policy", "reject-route", "packet-too-big", "time-exceeded", "ttl-exceeded",
	"ttl-zero-during-transit", "ttl-zero-during-reassembly", "parameter-problem", "bad-header", "unknown-header-type", "unknown-option",
	"echo-request", "ping", "echo-reply", "pong", "router-solicitation", "router-advertisement", "neighbour-solicitation",
	"neighbor-solicitation", "neighbour-advertisement", "neighbor-advertisement", "redirect", "any", "Echo-Request", "neigh"))
