package program

import "fmt"

var metaNames = map[MetaKey]string{
	MetaLen: "len", MetaProtocol: "protocol", MetaPriority: "priority", MetaMark: "mark",
	MetaIif: "iif", MetaOif: "oif", MetaIifname: "iifname", MetaOifname: "oifname",
	MetaIiftype: "iiftype", MetaOiftype: "oiftype", MetaSkuid: "skuid", MetaSkgid: "skgid",
	MetaNftrace: "nftrace", MetaNFProto: "nfproto", MetaL4Proto: "l4proto", MetaPkttype: "pkttype",
	MetaRandom: "random", MetaRealm: "rtclassid",
	MetaCPU: "cpu", MetaIifgroup: "iifgroup", MetaOifgroup: "oifgroup",
}

// String is nft's word for the key, else its number.
func (k MetaKey) String() string {
	if n, ok := metaNames[k]; ok {
		return n
	}
	return fmt.Sprint(uint32(k))
}

var ctNames = map[CTKey]string{
	CTState: "state", CTDirection: "direction", CTStatus: "status", CTMark: "mark",
	CTExpiration: "expiration", CTHelper: "helper", CTL3Proto: "l3proto", CTSrc: "src",
	CTDst: "dst", CTProto: "protocol", CTProtoSrc: "proto-src", CTProtoDst: "proto-dst", CTZone: "zone",
	CTSrcIP: "src-ip", CTDstIP: "dst-ip", CTSrcIP6: "src-ip6", CTDstIP6: "dst-ip6",
}

// String is nft's word for the key, else its number.
func (k CTKey) String() string {
	if n, ok := ctNames[k]; ok {
		return n
	}
	return fmt.Sprint(uint32(k))
}

// String is "", " original" or " reply".
func (d Dir) String() string {
	switch d {
	case Original:
		return " original"
	case Reply:
		return " reply"
	}
	return ""
}

// HostOrder says whether the kernel keeps what a load gives in the machine's
// order, as a number of that many bytes; 0 means bytes in network order. It is
// what the decoder needs to read a comparison's data.
func HostOrder(load Expr) int {
	switch e := load.(type) {
	case Meta:
		switch e.Key {
		case MetaLen, MetaPriority, MetaMark, MetaIif, MetaOif, MetaSkuid, MetaSkgid, MetaRealm,
			MetaCPU, MetaIifgroup, MetaOifgroup:
			return 4
		case MetaIiftype, MetaOiftype:
			return 2
		case MetaProtocol, MetaIifname, MetaOifname, MetaNFProto, MetaL4Proto, MetaPkttype, MetaNftrace, MetaRandom:
			return 0
		}
	case CT:
		switch e.Key {
		case CTState, CTStatus, CTMark, CTExpiration:
			return 4
		case CTZone:
			return 2
		}
	case Fib:
		return 4
	}
	return 0
}
