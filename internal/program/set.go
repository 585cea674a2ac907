package program

// KeyType is nft's data type of a set key, the number that its userspace puts
// into NFTA_SET_KEY_TYPE so that a listing names it.
type KeyType uint32

const (
	TypeNFProto  KeyType = 2
	TypeInteger  KeyType = 4
	TypeIPv4     KeyType = 7
	TypeIPv6     KeyType = 8
	TypeEther    KeyType = 9
	TypeProto    KeyType = 12
	TypeService  KeyType = 13
	TypeICMPType KeyType = 14
	TypeTCPFlag  KeyType = 15
	TypeMark     KeyType = 19
	TypeARPHRD   KeyType = 21
	TypeUID      KeyType = 24
	TypeGID      KeyType = 25
	TypeCTState  KeyType = 26
	TypeCTDir    KeyType = 27
	TypeCTStatus KeyType = 28
	TypeICMPv6   KeyType = 29
	TypePkttype  KeyType = 31
	TypeFibAddr  KeyType = 38
	TypeIfname   KeyType = 41
)

// ConstSet is the content of a set that never changes: the port list of a
// rule. A Lookup carries it by value, so that two rules with the same list are
// the same program; the driver's side gives it a name or makes it anonymous.
// The zero value is no set.
type ConstSet struct {
	Type     KeyType
	Len      uint32 // bytes of a key
	Host     bool   // keys are host-order numbers
	Interval bool   // Elems are pairs of first and last key
	Elems    string // keys, most significant byte first, ascending and disjoint
}

// Keys splits Elems; for an interval set first and last alternate.
func (s ConstSet) Keys() []string {
	if s.Len == 0 {
		return nil
	}
	var out []string
	for i := 0; i+int(s.Len) <= len(s.Elems); i += int(s.Len) {
		out = append(out, s.Elems[i:i+int(s.Len)])
	}
	return out
}

// Set is a named set or map as the kernel holds it.
type Set struct {
	Name     string
	ID       uint32 // of the batch that makes it; 0 where read
	Handle   uint64
	Flags    uint32 // NFT_SET_*
	KeyType  uint32
	KeyLen   uint32
	DataType uint32
	DataLen  uint32
	Size     uint32
	Timeout  uint64 // milliseconds; 0: none
	UserData string
	Host     bool   // keys are host-order numbers
	Raw      string // attributes that have no field above, as read
	Elements []Element
}

// The flags of a set that Gatehouse looks at.
const (
	SetAnonymous = 0x1
	SetConstant  = 0x2
	SetInterval  = 0x4
	SetMap       = 0x8
	SetTimeout   = 0x10
	SetEval      = 0x20
	SetObject    = 0x40
	SetConcat    = 0x80
)

// Element is one element. In an interval set of one field the kernel keeps a
// range as two elements: its first key, and the key after its last with End set.
type Element struct {
	Key      string // most significant byte first
	KeyEnd   string // the last key, for concatenated ranges
	End      bool   // NFT_SET_ELEM_INTERVAL_END
	CatchAll bool   // NFT_SET_ELEM_CATCHALL
	Data     Value
	Verdict  Verdict
	Exprs    string // attributes that have no field here, as read
	UserData string
}
