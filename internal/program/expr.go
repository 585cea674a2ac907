package program

// Expr is one nf_tables expression: a small comparable struct. String is its
// dump, exact to the byte, which golden files hold.
type Expr interface {
	String() string
	expr()
}

// Reg is a register: 0 the verdict, 1 to 4 of 16 bytes, 8 to 23 of 4.
type Reg uint32

// Base is where a payload offset counts from.
type Base uint32

const (
	LinkLayer Base = 0
	Network   Base = 1
	Transport Base = 2
	Inner     Base = 3
)

// Payload loads Len bytes of the packet.
type Payload struct {
	Base        Base
	Offset, Len uint32
	Reg         Reg
}

// PayloadSet writes a register into the packet and mends checksums.
type PayloadSet struct {
	Base                            Base
	Offset, Len                     uint32
	Reg                             Reg
	CsumType, CsumOffset, CsumFlags uint32
}

// MetaKey is NFT_META_*.
type MetaKey uint32

const (
	MetaLen      MetaKey = 0
	MetaProtocol MetaKey = 1
	MetaPriority MetaKey = 2
	MetaMark     MetaKey = 3
	MetaIif      MetaKey = 4
	MetaOif      MetaKey = 5
	MetaIifname  MetaKey = 6
	MetaOifname  MetaKey = 7
	MetaIiftype  MetaKey = 8
	MetaOiftype  MetaKey = 9
	MetaSkuid    MetaKey = 10
	MetaSkgid    MetaKey = 11
	MetaNftrace  MetaKey = 12
	MetaRealm    MetaKey = 13
	MetaNFProto  MetaKey = 15
	MetaL4Proto  MetaKey = 16
	MetaPkttype  MetaKey = 19
	MetaCPU      MetaKey = 20
	MetaIifgroup MetaKey = 21
	MetaOifgroup MetaKey = 22
	MetaRandom   MetaKey = 24
)

// Meta loads what the kernel knows of a packet beside its bytes.
type Meta struct {
	Key MetaKey
	Reg Reg
}

// MetaSet stores a register there.
type MetaSet struct {
	Key MetaKey
	Reg Reg
}

// CTKey is NFT_CT_*.
type CTKey uint32

const (
	CTState      CTKey = 0
	CTDirection  CTKey = 1
	CTStatus     CTKey = 2
	CTMark       CTKey = 3
	CTExpiration CTKey = 5
	CTHelper     CTKey = 6
	CTL3Proto    CTKey = 7
	CTSrc        CTKey = 8
	CTDst        CTKey = 9
	CTProto      CTKey = 10
	CTProtoSrc   CTKey = 11
	CTProtoDst   CTKey = 12
	CTZone       CTKey = 17
	CTSrcIP      CTKey = 19
	CTDstIP      CTKey = 20
	CTSrcIP6     CTKey = 21
	CTDstIP6     CTKey = 22
)

// Dir is a connection's direction in a CT load.
type Dir uint8

const (
	NoDir    Dir = iota // the key has none
	Original            // IP_CT_DIR_ORIGINAL
	Reply               // IP_CT_DIR_REPLY
)

// CT loads from the packet's connection.
type CT struct {
	Key CTKey
	Dir Dir
	Reg Reg
}

// CTSet stores into the packet's connection.
type CTSet struct {
	Key CTKey
	Dir Dir
	Reg Reg
}

// CmpOp is NFT_CMP_*.
type CmpOp uint32

const (
	Eq CmpOp = iota
	Ne
	Lt
	Le
	Gt
	Ge
)

// Cmp breaks off unless the register compares so.
type Cmp struct {
	Op    CmpOp
	Reg   Reg
	Value Value
}

// Range breaks off unless the register is within (or, Not, outside) Lo to Hi.
type Range struct {
	Not    bool
	Reg    Reg
	Lo, Hi Value
}

// Bitwise is Dst = (Src & Mask) ^ Xor.
type Bitwise struct {
	Src, Dst  Reg
	Len       uint32
	Mask, Xor Value
}

// Shift is Dst = Src shifted by Bits.
type Shift struct {
	Src, Dst Reg
	Len      uint32
	Left     bool
	Bits     uint32
}

// BitOp is the operation of a Bitwise2, by NFT_BITWISE_*.
type BitOp uint32

const (
	BitAnd BitOp = 3
	BitOr  BitOp = 4
	BitXor BitOp = 5
)

// Bitwise2 is Dst = Src op Src2 (Linux 6.13 and newer).
type Bitwise2 struct {
	Op             BitOp
	Src, Src2, Dst Reg
	Len            uint32
}

// Byteorder converts a register between the machine's order and the network's.
type Byteorder struct {
	Src, Dst  Reg
	ToNetwork bool
	Len, Size uint32
}

// Lookup looks a register up in a set. Const is the content where the set is a
// rule's own; Name names one that lives by itself. Map means that a hit stores
// its data in Dst.
type Lookup struct {
	Name  string
	Const ConstSet
	Reg   Reg
	Map   bool
	Dst   Reg
	Not   bool
}

// Immediate stores a value.
type Immediate struct {
	Reg   Reg
	Value Value
}

// VerdictKind is a verdict's number.
type VerdictKind int32

const (
	NFDrop      VerdictKind = 0
	NFAccept    VerdictKind = 1
	NFQueue     VerdictKind = 3
	NFTContinue VerdictKind = -1
	NFTBreak    VerdictKind = -2
	NFTJump     VerdictKind = -3
	NFTGoto     VerdictKind = -4
	NFTReturn   VerdictKind = -5
)

// Verdict is an immediate into the verdict register.
type Verdict struct {
	Kind  VerdictKind
	Chain string // jump and goto
}

// Counter counts what gets that far. Two programs that differ in it alone are the Same.
type Counter struct{ Packets, Bytes uint64 }

// Limit passes Rate packets (or bytes) every Unit seconds, after a burst.
type Limit struct {
	Rate, Unit uint64
	Burst      uint32
	Bytes      bool // NFT_LIMIT_PKT_BYTES
	Over       bool // NFT_LIMIT_F_INV
}

// Quota passes until Bytes are used up.
type Quota struct {
	Bytes    uint64
	Over     bool
	Consumed uint64
}

// Log writes a packet to the kernel's log, or, with HasGroup, to nfnetlink.
type Log struct {
	Prefix     string
	Level      uint32
	Flags      uint32
	HasGroup   bool
	Group      uint16
	Snaplen    uint32 // bytes of the packet that are sent; 0: as many as the listener wants
	NoBytes    bool   // none are sent: a length of 0 that was said
	QThreshold uint16
}

// Reject answers and drops.
type Reject struct {
	Type uint32 // NFT_REJECT_*
	Code uint8
}

// NAT translates an address. A register of 0 is not given.
type NAT struct {
	Dest               bool
	Family             Family // Inet for both
	AddrMin, AddrMax   Reg
	ProtoMin, ProtoMax Reg
	Flags              uint32 // NF_NAT_RANGE_*
}

// Masq is masquerading.
type Masq struct {
	ProtoMin, ProtoMax Reg
	Flags              uint32
}

// Redir is DNAT to the host itself.
type Redir struct {
	ProtoMin, ProtoMax Reg
	Flags              uint32
}

// Fib asks the routing table.
type Fib struct {
	Result uint32 // NFT_FIB_RESULT_*
	Flags  uint32 // NFTA_FIB_F_*
	Reg    Reg
}

// The parts of a Fib that Gatehouse uses.
const (
	FibOifIndex = 1
	FibAddrType = 3
	FibSaddr    = 1 << 0
	FibDaddr    = 1 << 1
	FibMark     = 1 << 2
	FibIif      = 1 << 3
	FibOif      = 1 << 4
	FibPresent  = 1 << 5
)

// Exthdr loads from an IPv6 extension header, a TCP or IP option, or an SCTP chunk.
type Exthdr struct {
	Op          uint32 // NFT_EXTHDR_OP_*
	Type        uint32
	Offset, Len uint32
	Present     bool // load whether it is there
	Reg         Reg
}

// The operations of an Exthdr.
const (
	ExthdrIPv6   = 0
	ExthdrTCPOpt = 1
)

// TCPStrip overwrites every TCP option of a kind with no-operations.
type TCPStrip struct{ Kind uint8 }

// Dup sends a copy of the packet to a gateway, through an interface by its number.
// A register of 0 is not given.
type Dup struct{ Addr, Dev Reg }

// Notrack exempts a packet from connection tracking.
type Notrack struct{}

// XTMatch is a kernel xt match; Info is its struct as the machine lays it out.
type XTMatch struct {
	Name string
	Rev  uint32
	Info string
	// IPSets are the names of the ipsets that the struct refers to; see IPSetNames.
	IPSets string
}

// XTTarget is a kernel xt target, its fields as those of XTMatch.
type XTTarget struct {
	Name   string
	Rev    uint32
	Info   string
	IPSets string
}

// Raw is an expression that has no type here, or whose bytes the type could not
// say: NFTA_EXPR_NAME and NFTA_EXPR_DATA as read.
type Raw struct{ Name, Data string }

func (Payload) expr()    {}
func (PayloadSet) expr() {}
func (Meta) expr()       {}
func (MetaSet) expr()    {}
func (CT) expr()         {}
func (CTSet) expr()      {}
func (Cmp) expr()        {}
func (Range) expr()      {}
func (Bitwise) expr()    {}
func (Shift) expr()      {}
func (Bitwise2) expr()   {}
func (Byteorder) expr()  {}
func (Lookup) expr()     {}
func (Immediate) expr()  {}
func (Verdict) expr()    {}
func (Counter) expr()    {}
func (Limit) expr()      {}
func (Quota) expr()      {}
func (Log) expr()        {}
func (Reject) expr()     {}
func (NAT) expr()        {}
func (Masq) expr()       {}
func (Redir) expr()      {}
func (Fib) expr()        {}
func (Exthdr) expr()     {}
func (TCPStrip) expr()   {}
func (Dup) expr()        {}
func (Notrack) expr()    {}
func (XTMatch) expr()    {}
func (XTTarget) expr()   {}
func (Raw) expr()        {}
