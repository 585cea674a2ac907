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

// keyLens are the types' lengths in bytes that sets of one's own are made of, and
// whether the kernel keeps them as a number in the machine's order.
var keyLens = map[KeyType]struct {
	len  int
	host bool
}{
	TypeIPv4: {4, false}, TypeIPv6: {16, false}, TypeEther: {6, false}, TypeProto: {1, false},
	TypeService: {2, false}, TypeICMPType: {1, false}, TypeICMPv6: {1, false}, TypeMark: {4, true},
	TypeUID: {4, true}, TypeGID: {4, true}, TypeCTState: {4, true}, TypeIfname: {16, false},
}

// Len is how many bytes a key of the type has; 0: not known.
func (t KeyType) Len() int { return keyLens[t].len }

// Host says whether a key of the type is a number in the machine's order.
func (t KeyType) Host() bool { return keyLens[t].host }

// typeBits is how many bits a type has in a concatenation's: nft's TYPE_BITS.
const typeBits = 6

// Concat is nft's type of a concatenation of fields.
func Concat(fields ...KeyType) uint32 {
	n := uint32(0)
	for _, f := range fields {
		n = n<<typeBits | uint32(f)
	}
	return n
}

// IsConcat says whether a set's key type is that of several fields.
func IsConcat(keyType uint32) bool { return keyType >= 1<<typeBits }

// SplitKey is the fields of a set's key type, one or several; nil where there is
// one among them whose length is not known.
func SplitKey(keyType uint32) []KeyType {
	var out []KeyType
	for n := keyType; n != 0; n >>= typeBits {
		t := KeyType(n & (1<<typeBits - 1))
		if t.Len() == 0 {
			return nil
		}
		out = append([]KeyType{t}, out...)
	}
	return out
}

// Padded is a length in registers of 4 bytes, which is what a field takes in a
// concatenation.
func Padded(n int) int { return (n + 3) &^ 3 }

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
	Counted  bool   // every element counts packets and bytes
	Fields   string // how many bytes each field of a concatenation of ranges has, a byte each
	Raw      string // attributes that have no field above, as read
	Elements []Element

	// Keep says that its elements are somebody else's: it is made with these when it
	// is missing, else left alone.
	Keep bool
	// Unread says that the elements were not asked for when it was read.
	Unread bool
}

// Ranges says whether a set's elements are ranges of one field, which the kernel
// keeps as two elements each.
func (s *Set) Ranges() bool {
	return s.Flags&SetInterval != 0 && s.Flags&SetConcat == 0
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
	Timeout  uint64 // milliseconds; 0: the set's own
	Forever  bool   // never goes, though the set has a timeout
	Left     uint64 // milliseconds until it goes; 0: as long as its timeout
	Fresh    bool   // to be written though the set has it: its time starts again
	Packets  uint64 // of its counter, where the set is Counted
	Bytes    uint64
	Data     Value
	Verdict  Verdict
	Exprs    string // attributes that have no field here, as read
	UserData string
}

// NextKey is the key after k; more is false for the last one.
func NextKey(k string) (after string, more bool) {
	b := []byte(k)
	for i := len(b) - 1; i >= 0; i-- {
		b[i]++
		if b[i] != 0 {
			return string(b), true
		}
	}
	return "", false
}

// PrevKey is the key before k, which is not 0.
func PrevKey(k string) string {
	b := []byte(k)
	for i := len(b) - 1; i >= 0; i-- {
		b[i]--
		if b[i] != 0xff {
			break
		}
	}
	return string(b)
}
