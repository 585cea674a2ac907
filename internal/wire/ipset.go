package wire

// IPSET_CMD_* of nfnetlink's subsystem 6, and the attributes that they take;
// include/uapi/linux/netfilter/ipset/ip_set.h, net/netfilter/ipset/ip_set_core.c.
const (
	subsysIPSet = 6

	ipsetByName  = subsysIPSet<<8 | 14
	ipsetByIndex = subsysIPSet<<8 | 15

	ipsetProtocol = 1
	ipsetSetName  = 2
	ipsetFamily   = 5
	ipsetIndex    = 11

	// ipsetVersion is the protocol that has these two questions, of Linux 4.20.
	ipsetVersion = 7

	// netOrder is NLA_F_NET_BYTEORDER.
	netOrder = 0x4000
)

// IPSet is what there is to know of an ipset by its name.
type IPSet struct {
	Name   string // in the answer to AskIPSetName
	Index  uint16 // in the answer to AskIPSet
	Family uint8  // likewise: NFPROTO_IPV4, NFPROTO_IPV6, or 0 for either
}

// AskIPSet asks for an ipset's number and family.
func AskIPSet(seq uint32, name string) []byte {
	return request(ipsetByName, 0, seq, 0, func(w *writer) {
		w.u8(ipsetProtocol, ipsetVersion)
		w.str(ipsetSetName, name)
	})
}

// AskIPSetName asks for the name of the ipset with a number.
func AskIPSetName(seq uint32, index uint16) []byte {
	return request(ipsetByIndex, 0, seq, 0, func(w *writer) {
		w.u8(ipsetProtocol, ipsetVersion)
		w.u16(ipsetIndex|netOrder, index)
	})
}

// DecodeIPSet reads the answer to AskIPSet and AskIPSetName.
func DecodeIPSet(m Message) (IPSet, error) {
	var f fields
	if err := m.parse(&f); err != nil {
		return IPSet{}, err
	}
	if len(f[ipsetSetName]) == 0 && len(f[ipsetIndex]) != 2 {
		return IPSet{}, ErrShort
	}
	return IPSet{Name: f.str(ipsetSetName), Index: f.u16(ipsetIndex), Family: f.u8(ipsetFamily)}, nil
}
