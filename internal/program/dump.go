package program

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Dump is one expression a line: the form that golden files hold. Unlike
// nft --debug=netlink it shows values to the byte, padding included.
func Dump(exprs []Expr) string {
	var b strings.Builder
	for _, e := range exprs {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return b.String()
}

var (
	bases  = [...]string{"ll", "nh", "th", "ih"}
	cmpOps = [...]string{"==", "!=", "<", "<=", ">", ">="}
)

func name[T ~uint32](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprint(uint32(v))
}

func (e Payload) String() string {
	return fmt.Sprintf("[payload %s+%d len %d -> r%d]", name(bases[:], e.Base), e.Offset, e.Len, e.Reg)
}

func (e PayloadSet) String() string {
	return fmt.Sprintf("[payload set %s+%d len %d <- r%d csum %d+%d flags %#x]",
		name(bases[:], e.Base), e.Offset, e.Len, e.Reg, e.CsumType, e.CsumOffset, e.CsumFlags)
}

func (e Meta) String() string    { return fmt.Sprintf("[meta %v -> r%d]", e.Key, e.Reg) }
func (e MetaSet) String() string { return fmt.Sprintf("[meta set %v <- r%d]", e.Key, e.Reg) }
func (e CT) String() string      { return fmt.Sprintf("[ct %v%v -> r%d]", e.Key, e.Dir, e.Reg) }
func (e CTSet) String() string   { return fmt.Sprintf("[ct set %v%v <- r%d]", e.Key, e.Dir, e.Reg) }

func (e Cmp) String() string {
	return fmt.Sprintf("[cmp r%d %s %v]", e.Reg, name(cmpOps[:], e.Op), e.Value)
}

func (e Range) String() string {
	return fmt.Sprintf("[range r%d %s %v-%v]", e.Reg, eqNe(e.Not), e.Lo, e.Hi)
}

func (e Bitwise) String() string {
	return fmt.Sprintf("[bitwise r%d = (r%d & %v) ^ %v len %d]", e.Dst, e.Src, e.Mask, e.Xor, e.Len)
}

func (e Shift) String() string {
	op := ">>"
	if e.Left {
		op = "<<"
	}
	return fmt.Sprintf("[bitwise r%d = r%d %s %d len %d]", e.Dst, e.Src, op, e.Bits, e.Len)
}

func (e Bitwise2) String() string {
	op := map[BitOp]string{BitAnd: "&", BitOr: "|", BitXor: "^"}[e.Op]
	return fmt.Sprintf("[bitwise r%d = r%d %s r%d len %d]", e.Dst, e.Src, op, e.Src2, e.Len)
}

func (e Byteorder) String() string {
	op := "ntoh"
	if e.ToNetwork {
		op = "hton"
	}
	return fmt.Sprintf("[byteorder r%d = %s(r%d, %d, %d)]", e.Dst, op, e.Src, e.Len, e.Size)
}

func (e Lookup) String() string {
	s := "@" + e.Name
	if e.Const != (ConstSet{}) {
		s = e.Const.String()
	}
	if e.Map {
		return fmt.Sprintf("[lookup r%d in %s -> r%d]", e.Reg, s, e.Dst)
	}
	return fmt.Sprintf("[lookup r%d %s %s]", e.Reg, eqNe(e.Not), s)
}

// String is "{type 13: 0019 0050}", ranges with a dash.
func (s ConstSet) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{type %d:", s.Type)
	for i, k := range s.Keys() {
		sep := " "
		if s.Interval && i%2 == 1 {
			sep = "-"
		}
		b.WriteString(sep + Value{k, s.Host}.String())
	}
	return b.String() + "}"
}

func (e Immediate) String() string { return fmt.Sprintf("[immediate r%d = %v]", e.Reg, e.Value) }

func (e Verdict) String() string {
	if e.Chain != "" {
		return fmt.Sprintf("[verdict %v %q]", e.Kind, e.Chain)
	}
	return fmt.Sprintf("[verdict %v]", e.Kind)
}

// String is nft's word for the verdict.
func (k VerdictKind) String() string {
	switch k {
	case NFDrop:
		return "drop"
	case NFAccept:
		return "accept"
	case NFQueue:
		return "queue"
	case NFTContinue:
		return "continue"
	case NFTBreak:
		return "break"
	case NFTJump:
		return "jump"
	case NFTGoto:
		return "goto"
	case NFTReturn:
		return "return"
	}
	return fmt.Sprintf("verdict(%d)", int32(k))
}

func (e Counter) String() string {
	return fmt.Sprintf("[counter packets %d bytes %d]", e.Packets, e.Bytes)
}

func (e Limit) String() string {
	what := "packets"
	if e.Bytes {
		what = "bytes"
	}
	return fmt.Sprintf("[limit %d/%ds burst %d %s over %t]", e.Rate, e.Unit, e.Burst, what, e.Over)
}

func (e Quota) String() string {
	return fmt.Sprintf("[quota %d over %t consumed %d]", e.Bytes, e.Over, e.Consumed)
}

func (e Log) String() string {
	if e.HasGroup {
		snaplen := fmt.Sprint(e.Snaplen)
		if e.NoBytes {
			snaplen += " said"
		}
		return fmt.Sprintf("[log prefix %q group %d snaplen %s qthreshold %d]", e.Prefix, e.Group, snaplen, e.QThreshold)
	}
	return fmt.Sprintf("[log prefix %q level %d flags %#x]", e.Prefix, e.Level, e.Flags)
}

func (e Reject) String() string { return fmt.Sprintf("[reject type %d code %d]", e.Type, e.Code) }

func (e NAT) String() string {
	kind := "snat"
	if e.Dest {
		kind = "dnat"
	}
	return fmt.Sprintf("[nat %s %v addr r%d-r%d proto r%d-r%d flags %#x]",
		kind, e.Family, e.AddrMin, e.AddrMax, e.ProtoMin, e.ProtoMax, e.Flags)
}

func (e Masq) String() string {
	return fmt.Sprintf("[masq proto r%d-r%d flags %#x]", e.ProtoMin, e.ProtoMax, e.Flags)
}

func (e Redir) String() string {
	return fmt.Sprintf("[redir proto r%d-r%d flags %#x]", e.ProtoMin, e.ProtoMax, e.Flags)
}

func (e Fib) String() string {
	return fmt.Sprintf("[fib result %d flags %#x -> r%d]", e.Result, e.Flags, e.Reg)
}

func (e Exthdr) String() string {
	return fmt.Sprintf("[exthdr op %d type %d+%d len %d present %t -> r%d]", e.Op, e.Type, e.Offset, e.Len, e.Present, e.Reg)
}

func (e TCPStrip) String() string { return fmt.Sprintf("[exthdr strip TCP option %d]", e.Kind) }

func (e Dup) String() string { return fmt.Sprintf("[dup addr r%d dev r%d]", e.Addr, e.Dev) }

func (Notrack) String() string { return "[notrack]" }

func (e XTMatch) String() string {
	return fmt.Sprintf("[match %s rev %d %s%s]", e.Name, e.Rev, hex.EncodeToString([]byte(e.Info)), dumpIPSets(e.IPSets))
}

func (e XTTarget) String() string {
	return fmt.Sprintf("[target %s rev %d %s%s]", e.Name, e.Rev, hex.EncodeToString([]byte(e.Info)), dumpIPSets(e.IPSets))
}

func (e Raw) String() string {
	return fmt.Sprintf("[raw %s %s]", e.Name, hex.EncodeToString([]byte(e.Data)))
}

func eqNe(not bool) string {
	if not {
		return "!="
	}
	return "=="
}
