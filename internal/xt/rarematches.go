package xt

// Socket is struct xt_socket_mtinfo3 (include/uapi/linux/netfilter/xt_socket.h),
// revision 3: its bits are SocketTransparent and those that follow.
type Socket struct{ Flags uint8 }

// The bits of Socket.Flags.
const (
	SocketTransparent = 1 << iota
	SocketNoWildcard
	SocketRestoreMark
)

// Helper is struct xt_helper_info (xt_helper.h), revision 0.
type Helper struct {
	Invert uint32
	Name   [30]byte // ends in a zero byte
}

// NFAcct is struct xt_nfacct_match_info_v1 (xt_nfacct.h), revision 1.
type NFAcct struct {
	Name   [32]byte // ends in a zero byte
	Object uint64   // the kernel's own
}

// OSF is struct nf_osf_info (nfnetlink_osf.h), revision 0.
type OSF struct {
	Genre    [32]byte // ends in a zero byte
	Len      uint32   // of Genre
	Flags    uint32
	LogLevel uint32
	TTL      uint32
}

// The bits of OSF.Flags.
const (
	OSFTTL    = 1 << 1
	OSFLog    = 1 << 2
	OSFInvert = 1 << 3
)

// PhysDev is struct xt_physdev_info (xt_physdev.h), revision 0.
type PhysDev struct {
	In, InMask   [16]byte
	Out, OutMask [16]byte
	Invert       uint8
	Bits         uint8
}

// The bits of PhysDev.Bits and PhysDev.Invert.
const (
	PhysDevIn = 1 << iota
	PhysDevOut
	PhysDevBridged
	PhysDevIsIn
	PhysDevIsOut
)

// IPVS is struct xt_ipvs_mtinfo (xt_ipvs.h), revision 0. Addresses and ports are in
// network order; an IPv4 address takes the first four bytes.
type IPVS struct {
	Addr, Mask  [16]byte
	Port        [2]byte
	Proto       uint8
	Method      uint8
	ControlPort [2]byte
	Invert      uint8
	Bits        uint8
}

// The bits of IPVS.Bits and IPVS.Invert.
const (
	IPVSProperty = 1 << iota
	IPVSProto
	IPVSAddr
	IPVSPort
	IPVSDir
	IPVSMethod
	IPVSControlPort
)

// Policy is struct xt_policy_info (xt_policy.h), revision 0.
type Policy struct {
	Elements [4]PolicyElement
	Flags    uint16
	Len      uint16
}

// PolicyElement is struct xt_policy_elem. Addresses are in network order; an IPv4
// address takes the first four bytes.
type PolicyElement struct {
	Source, SourceMask [16]byte
	Dest, DestMask     [16]byte
	SPI                uint32 // as iptables writes it: in the machine's order
	ReqID              uint32
	Proto              uint8
	Mode               uint8
	Match              uint8
	Invert             uint8
}

// The bits of Policy.Flags.
const (
	PolicyIn = 1 << iota
	PolicyOut
	PolicyNone
	PolicyStrict
)

// The bits of PolicyElement.Match and PolicyElement.Invert.
const (
	PolicySource = 1 << iota
	PolicyDest
	PolicyProto
	PolicyMode
	PolicySPI
	PolicyReqID
)
