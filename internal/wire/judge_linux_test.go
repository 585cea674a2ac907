package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	p "github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
)

// judged is an expression in our words and in google/nftables'. extra names
// the attributes that the kernel dumps, and we therefore send, though that
// library leaves them out.
type judged struct {
	ours   p.Expr
	theirs expr.Any
	extra  string
}

func judgedExprs() []judged {
	native := binary.NativeEndian.AppendUint32(nil, 0x1f)
	unknown := xt.Unknown("0123456789abcdef")
	return []judged{
		{p.Payload{Base: p.Transport, Offset: 2, Len: 2, Reg: 1},
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}, ""},
		{p.PayloadSet{Base: p.Network, Offset: 16, Len: 4, Reg: 2, CsumType: 1, CsumOffset: 10, CsumFlags: 1},
			&expr.Payload{OperationType: expr.PayloadWrite, SourceRegister: 2, Base: expr.PayloadBaseNetworkHeader,
				Offset: 16, Len: 4, CsumType: expr.CsumTypeInet, CsumOffset: 10, CsumFlags: 1}, ""},
		{p.Meta{Key: p.MetaIifname, Reg: 1}, &expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, ""},
		{p.MetaSet{Key: p.MetaMark, Reg: 2}, &expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 2}, ""},
		{p.CT{Key: p.CTState, Reg: 1}, &expr.Ct{Key: expr.CtKeySTATE, Register: 1}, ""},
		{p.CT{Key: p.CTSrcIP, Dir: p.Reply, Reg: 1}, &expr.Ct{Key: expr.CtKeySRC + 11, Register: 1, Direction: 1}, "3=01"},
		{p.CTSet{Key: p.CTMark, Reg: 1}, &expr.Ct{Key: expr.CtKeyMARK, Register: 1, SourceRegister: true}, ""},
		{p.Cmp{Op: p.Ne, Reg: 1, Value: p.IfName("lo")},
			&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte("lo\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")}, ""},
		{p.Cmp{Op: p.Ge, Reg: 1, Value: p.Host32(0x1f)}, &expr.Cmp{Op: expr.CmpOpGte, Register: 1, Data: native}, ""},
		{p.Range{Not: true, Reg: 1, Lo: p.Net16(1), Hi: p.Net16(1023)},
			&expr.Range{Op: expr.CmpOpNeq, Register: 1, FromData: []byte{0, 1}, ToData: []byte{3, 255}}, ""},
		{p.Bitwise{Src: 1, Dst: 2, Len: 4, Mask: p.Net32(0xffffff00), Xor: p.Net32(1)},
			&expr.Bitwise{SourceRegister: 1, DestRegister: 2, Len: 4, Mask: []byte{255, 255, 255, 0}, Xor: []byte{0, 0, 0, 1}}, "6=00000000"},
		{p.Byteorder{Src: 1, Dst: 1, ToNetwork: true, Len: 4, Size: 4},
			&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4}, ""},
		{p.Lookup{Name: "ports", Reg: 1, Not: true}, &expr.Lookup{SourceRegister: 1, SetName: "ports", Invert: true}, "-4"},
		{p.Lookup{Name: "m", Reg: 1, Map: true}, &expr.Lookup{SourceRegister: 1, SetName: "m", IsDestRegSet: true}, "-4 5=00000000"},
		{p.Immediate{Reg: 1, Value: p.Net16(80)}, &expr.Immediate{Register: 1, Data: []byte{0, 80}}, ""},
		{p.Verdict{Kind: p.NFDrop}, &expr.Verdict{Kind: expr.VerdictDrop}, ""},
		{p.Verdict{Kind: p.NFTReturn}, &expr.Verdict{Kind: expr.VerdictReturn}, ""},
		{p.Verdict{Kind: p.NFTJump, Chain: "next"}, &expr.Verdict{Kind: expr.VerdictJump, Chain: "next"}, ""},
		{p.Verdict{Kind: p.NFTGoto, Chain: "next"}, &expr.Verdict{Kind: expr.VerdictGoto, Chain: "next"}, ""},
		{p.Counter{Packets: 3, Bytes: 1 << 40}, &expr.Counter{Packets: 3, Bytes: 1 << 40}, ""},
		{p.Limit{Rate: 3, Unit: 60, Burst: 7}, &expr.Limit{Type: expr.LimitTypePkts, Rate: 3, Unit: expr.LimitTimeMinute, Burst: 7}, ""},
		{p.Limit{Rate: 9, Unit: 1, Bytes: true, Over: true},
			&expr.Limit{Type: expr.LimitTypePktBytes, Rate: 9, Unit: expr.LimitTimeSecond, Over: true}, ""},
		{p.Quota{Bytes: 99, Consumed: 5, Over: true}, &expr.Quota{Bytes: 99, Consumed: 5, Over: true}, ""},
		{p.Log{Prefix: "no: ", Level: 4, Flags: 1},
			&expr.Log{Key: 1<<logPrefix | 1<<logLevel | 1<<logFlags, Level: expr.LogLevelWarning, Flags: expr.LogFlagsTCPSeq, Data: []byte("no: ")}, ""},
		{p.Log{HasGroup: true, Group: 3, Snaplen: 64, QThreshold: 2},
			&expr.Log{Key: 1<<logGroup | 1<<logSnaplen | 1<<logQThreshold, Group: 3, Snaplen: 64, QThreshold: 2}, ""},
		{p.Reject{Type: 2, Code: 1}, &expr.Reject{Type: 2, Code: 1}, ""},
		{p.NAT{Dest: true, Family: p.IP, AddrMin: 1, AddrMax: 2, ProtoMin: 3, ProtoMax: 4, Flags: 8},
			&expr.NAT{Type: expr.NATTypeDestNAT, Family: 2, RegAddrMin: 1, RegAddrMax: 2, RegProtoMin: 3, RegProtoMax: 4,
				Persistent: true, Specified: true}, "7=0000000b"},
		{p.Masq{ProtoMin: 1, ProtoMax: 2, Flags: 4},
			&expr.Masq{ToPorts: true, RegProtoMin: 1, RegProtoMax: 2, Random: true}, "1=00000006"},
		{p.Masq{Flags: 4}, &expr.Masq{Random: true}, ""},
		{p.Redir{ProtoMin: 1, ProtoMax: 2, Flags: 4},
			&expr.Redir{RegisterProtoMin: 1, RegisterProtoMax: 2, Flags: 4 | 2}, ""},
		{p.Fib{Result: p.FibAddrType, Flags: p.FibDaddr | p.FibIif, Reg: 1},
			&expr.Fib{Register: 1, ResultADDRTYPE: true, FlagDADDR: true, FlagIIF: true}, ""},
		{p.Exthdr{Op: p.ExthdrTCPOpt, Type: 2, Offset: 2, Len: 2, Reg: 1},
			&expr.Exthdr{DestRegister: 1, Type: 2, Offset: 2, Len: 2, Op: expr.ExthdrOpTcpopt}, "5=00000000"},
		{p.Exthdr{Op: p.ExthdrIPv6, Type: 44, Len: 1, Present: true, Reg: 1},
			&expr.Exthdr{DestRegister: 1, Type: 44, Len: 1, Flags: 1}, ""},
		{p.Notrack{}, &expr.Notrack{}, ""},
		{p.XTMatch{Name: "time", Rev: 7, Info: string(unknown)}, &expr.Match{Name: "time", Rev: 7, Info: &unknown}, ""},
		{p.XTTarget{Name: "TEE", Rev: 1, Info: string(unknown)}, &expr.Target{Name: "TEE", Rev: 1, Info: &unknown}, ""},
	}
}

func TestBytesOfGoogleNftables(t *testing.T) {
	for _, j := range judgedExprs() {
		t.Run(j.ours.String(), func(t *testing.T) {
			theirs, err := expr.Marshal(byte(p.IP), j.theirs)
			if err != nil {
				t.Fatal(err)
			}
			name, data, ok := nameData(theirs)
			if !ok {
				t.Fatalf("google/nftables wrote % x", theirs)
			}
			ourName, ourData, err := EncodeExpr(j.ours)
			if err != nil {
				t.Fatal(err)
			}
			if ourName != string(name) {
				t.Errorf("name %q, theirs %q", ourName, name)
			}
			want := adjust(attributes(t, data), j.extra)
			if got := attributes(t, []byte(ourData)); !slices.Equal(got, want) {
				t.Errorf("ours   %v\ntheirs %v", got, want)
			}
		})
	}
}

// attributes are sorted "number=bytes", trailing NULs and flags left away, since
// the library writes some strings without, and some nests unflagged.
func attributes(t *testing.T, b []byte) []string {
	t.Helper()
	var out []string
	a := attrs(b)
	for {
		typ, val, _, ok := a.next()
		if !ok {
			break
		}
		out = append(out, fmt.Sprintf("%d=%x", typ, unflagged(bytes.Clone(val))))
	}
	if len(a) != 0 {
		t.Fatalf("% x left over", []byte(a))
	}
	slices.Sort(out)
	return out
}

// unflagged takes NLA_F_NESTED off what looks like attributes, and the NUL off
// what looks like a name.
func unflagged(b []byte) []byte {
	if len(b) > 1 && b[len(b)-1] == 0 && strings.IndexByte(string(b), 0) == len(b)-1 {
		return b[:len(b)-1]
	}
	for a := attrs(b); ; {
		rest := a
		_, val, _, ok := a.next()
		if !ok {
			return b
		}
		if len(a) == 0 || len(val) > 0 {
			binary.NativeEndian.PutUint16(rest[2:], binary.NativeEndian.Uint16(rest[2:])&typeMask)
			unflagged(val)
		}
	}
}

// adjust applies "number=bytes", which replaces or adds, and "-number".
func adjust(list []string, edits string) []string {
	for _, e := range strings.Fields(edits) {
		number, _, _ := strings.Cut(strings.TrimPrefix(e, "-"), "=")
		list = slices.DeleteFunc(list, func(s string) bool { return strings.HasPrefix(s, number+"=") })
		if !strings.HasPrefix(e, "-") {
			list = append(list, e)
		}
	}
	slices.Sort(list)
	return list
}

func TestKeyTypesOfGoogleNftables(t *testing.T) {
	for ours, theirs := range map[p.KeyType]nftables.SetDatatype{
		p.TypeNFProto: nftables.TypeNFProto, p.TypeInteger: nftables.TypeInteger, p.TypeIPv4: nftables.TypeIPAddr,
		p.TypeIPv6: nftables.TypeIP6Addr, p.TypeEther: nftables.TypeEtherAddr, p.TypeProto: nftables.TypeInetProto,
		p.TypeService: nftables.TypeInetService, p.TypeICMPType: nftables.TypeICMPType, p.TypeTCPFlag: nftables.TypeTCPFlag,
		p.TypeMark: nftables.TypeMark, p.TypeARPHRD: nftables.TypeARPHRD, p.TypeUID: nftables.TypeUID,
		p.TypeGID: nftables.TypeGID, p.TypeCTState: nftables.TypeCTState, p.TypeCTDir: nftables.TypeCTDir,
		p.TypeCTStatus: nftables.TypeCTStatus, p.TypeICMPv6: nftables.TypeICMP6Type, p.TypePkttype: nftables.TypePktType,
		p.TypeFibAddr: nftables.TypeFIBAddr, p.TypeIfname: nftables.TypeIFName,
	} {
		if uint32(ours) != theirs.GetNFTMagic() {
			t.Errorf("%s is %d, not %d", theirs.Name, theirs.GetNFTMagic(), ours)
		}
	}
}
