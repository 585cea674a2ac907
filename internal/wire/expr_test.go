package wire

import (
	"slices"
	"testing"

	p "github.com/gatehouse-fw/gatehouse/internal/program"
	"pgregory.net/rapid"
)

// A register holds what was loaded last, and comparisons read it so.
func TestOrientation(t *testing.T) {
	hostReg1 := func(data string) p.Value { return p.Value{Data: data, Host: true} }
	for _, tc := range []struct {
		name  string
		exprs []p.Expr
	}{
		{"a mark is a number", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1}, p.Cmp{Reg: 1, Value: p.Host32(7)}}},
		{"an address is bytes", []p.Expr{p.Payload{Base: p.Network, Offset: 12, Len: 4, Reg: 1}, p.Cmp{Reg: 1, Value: p.Net32(7)}}},
		{"a number, then bytes, in one register", []p.Expr{
			p.Meta{Key: p.MetaMark, Reg: 1}, p.Cmp{Reg: 1, Value: p.Host32(7)},
			p.Payload{Base: p.Network, Offset: 12, Len: 4, Reg: 1}, p.Cmp{Reg: 1, Value: p.Net32(7)}}},
		{"register 1 is register 8", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1}, p.Cmp{Reg: 8, Value: p.Host32(7)}}},
		{"two registers", []p.Expr{
			p.Payload{Len: 4, Reg: 1}, p.Meta{Key: p.MetaMark, Reg: 2},
			p.Cmp{Reg: 1, Value: p.Net32(7)}, p.Cmp{Reg: 2, Value: p.Host32(7)}}},
		{"a long load covers what was there", []p.Expr{
			p.Meta{Key: p.MetaMark, Reg: 9}, p.Payload{Len: 16, Reg: 1}, p.Cmp{Reg: 9, Value: p.Net32(7)}}},
		{"16 bits", []p.Expr{p.Meta{Key: p.MetaIiftype, Reg: 1}, p.Cmp{Reg: 1, Value: p.Host16(772)}}},
		{"a name of another length", []p.Expr{p.Fib{Result: 2, Reg: 1}, p.Cmp{Reg: 1, Value: p.IfName("lo")}}},
		{"under a mask", []p.Expr{p.CT{Key: p.CTState, Reg: 1},
			p.Bitwise{Src: 1, Dst: 1, Len: 4, Mask: p.Host32(6), Xor: p.Host32(0)}, p.Cmp{Op: p.Ne, Reg: 1, Value: p.Host32(0)}}},
		{"mask into another register", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1},
			p.Bitwise{Src: 1, Dst: 2, Len: 4, Mask: p.Host32(6), Xor: p.Host32(0)}, p.Range{Reg: 2, Lo: p.Host32(1), Hi: p.Host32(5)}}},
		{"to network order", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1},
			p.Byteorder{Src: 1, Dst: 1, ToNetwork: true, Len: 4, Size: 4}, p.Range{Reg: 1, Lo: p.Net32(1), Hi: p.Net32(5)}}},
		{"to host order", []p.Expr{p.Payload{Len: 4, Reg: 1},
			p.Byteorder{Src: 1, Dst: 1, Len: 4, Size: 4}, p.Cmp{Reg: 1, Value: p.Host32(5)}}},
		{"into the mark", []p.Expr{p.Immediate{Reg: 1, Value: p.Host32(7)}, p.MetaSet{Key: p.MetaMark, Reg: 1}}},
		{"into the mark, in the end", []p.Expr{p.Immediate{Reg: 2, Value: p.Host32(7)}, p.Meta{Key: p.MetaMark, Reg: 1},
			p.Bitwise2{Op: p.BitOr, Src: 1, Src2: 2, Dst: 1, Len: 4}, p.CTSet{Key: p.CTMark, Reg: 1}}},
		{"into a translation", []p.Expr{p.Immediate{Reg: 1, Value: p.Net32(7)}, p.NAT{Family: p.IP, AddrMin: 1, AddrMax: 1}}},
		{"for nothing", []p.Expr{p.Immediate{Reg: 1, Value: p.Net32(7)}}},
		{"another length", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1}, p.Cmp{Reg: 1, Value: p.Net16(7)}}},
		{"an unknown load", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1}, p.Raw{Name: "rt"}, p.Cmp{Reg: 1, Value: p.Net32(7)}}},
		{"from a map", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1}, p.Lookup{Name: "m", Reg: 1, Map: true, Dst: 1}, p.Cmp{Reg: 1, Value: p.Net32(7)}}},
		{"the bytes of a mark", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1}, p.Cmp{Reg: 1, Value: hostReg1("\xde\xad\xbe\xef")}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := slices.Clone(tc.exprs)
			for i, e := range want {
				if c, ok := e.(p.Cmp); ok {
					c.Reg = register(c.Reg)
					want[i] = c
				}
			}
			if got := Canonical(tc.exprs); !slices.Equal(got, want) {
				t.Errorf("reads\n%swant\n%s", p.Dump(got), p.Dump(want))
			}
		})
	}
}

func TestNumbersAreTheMachines(t *testing.T) {
	_, data, err := EncodeExpr(p.Cmp{Reg: 1, Value: p.Host32(0x01020304)})
	if err != nil {
		t.Fatal(err)
	}
	want := "\x01\x02\x03\x04"
	if littleEndian {
		want = "\x04\x03\x02\x01"
	}
	if got := data[len(data)-4:]; got != want {
		t.Errorf("0x01020304 is % x", got)
	}
}

// What another form could not say stays raw, byte for byte.
func TestRawStays(t *testing.T) {
	attr := func(typ byte, data string) string {
		s := string([]byte{byte(4 + len(data)), 0, typ, 0}) + data
		return s + "\x00\x00\x00"[:(4-len(s)%4)%4]
	}
	needLittleEndian(t)
	for name, r := range map[string]p.Raw{
		"unknown type":         {Name: "numgen", Data: attr(1, "\x00\x00\x00\x01")},
		"attribute missing":    {Name: "meta", Data: attr(1, "\x00\x00\x00\x01")},
		"attribute unknown":    {Name: "meta", Data: attr(2, "\x00\x00\x00\x03") + attr(1, "\x00\x00\x00\x01") + attr(9, "\x00\x00\x00\x01")},
		"attribute twice":      {Name: "meta", Data: attr(2, "\x00\x00\x00\x03") + attr(2, "\x00\x00\x00\x03")},
		"attribute shorter":    {Name: "meta", Data: attr(2, "\x00\x03") + attr(1, "\x00\x00\x00\x01")},
		"other order":          {Name: "meta", Data: attr(1, "\x00\x00\x00\x01") + attr(2, "\x00\x00\x00\x03")},
		"no attributes at all": {Name: "cmp", Data: "???"},
		"name without NUL":     {Name: "lookup", Data: attr(1, "s") + attr(2, "\x00\x00\x00\x01") + attr(5, "\x00\x00\x00\x00")},
		"flag unknown":         {Name: "lookup", Data: attr(1, "s\x00") + attr(2, "\x00\x00\x00\x01") + attr(5, "\x00\x00\x00\x03")},
		"padding":              {Name: "meta", Data: "\x08\x00\x02\x00\x00\x00\x00\x03\x08\x00\x01\x00\x00\x00\x00\x01\x04"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := DecodeExprs([]p.Raw{r})[0]; got != r {
				t.Errorf("decoded to %v", got)
			}
			n, d, err := EncodeExpr(r)
			if err != nil || n != r.Name || len(d) < len(r.Data) || d[:len(r.Data)] != r.Data {
				t.Errorf("encoded to %s % x, %v", n, d, err)
			}
		})
	}
	typed := p.Raw{Name: "meta", Data: attr(2, "\x00\x00\x00\x03") + attr(1, "\x00\x00\x00\x01")}
	if got := DecodeExprs([]p.Raw{typed})[0]; got != (p.Meta{Key: p.MetaMark, Reg: 1}) {
		t.Errorf("meta decoded to %v", got)
	}
}

func TestCanonical(t *testing.T) {
	raw := func(e p.Expr) p.Raw {
		name, data, err := EncodeExpr(e)
		if err != nil {
			t.Fatal(err)
		}
		return p.Raw{Name: name, Data: data}
	}
	ports := p.Lookup{Const: p.ConstSet{Type: p.TypeService, Len: 2, Elems: "\x00\x19"}, Reg: 8}
	own := ports
	own.Reg = 1
	for _, tc := range []struct {
		name       string
		have, want []p.Expr
	}{
		{"raw that is typed",
			[]p.Expr{raw(p.Meta{Key: p.MetaMark, Reg: 1}), raw(p.Cmp{Reg: 1, Value: p.Host32(3)})},
			[]p.Expr{p.Meta{Key: p.MetaMark, Reg: 1}, p.Cmp{Reg: 1, Value: p.Host32(3)}}},
		{"registers", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 12}, p.MetaSet{Key: p.MetaMark, Reg: 20}},
			[]p.Expr{p.Meta{Key: p.MetaMark, Reg: 2}, p.MetaSet{Key: p.MetaMark, Reg: 4}}},
		{"last registers", []p.Expr{p.NAT{Family: p.IP, AddrMin: 1, ProtoMin: 2}, p.Masq{ProtoMin: 1}, p.Redir{ProtoMin: 1}},
			[]p.Expr{p.NAT{Family: p.IP, AddrMin: 1, AddrMax: 1, ProtoMin: 2, ProtoMax: 2},
				p.Masq{ProtoMin: 1, ProtoMax: 1}, p.Redir{ProtoMin: 1, ProtoMax: 1}}},
		{"flags that the kernel sets", []p.Expr{p.NAT{Family: p.IP, AddrMin: 1, AddrMax: 1, Flags: 8 | 1}},
			[]p.Expr{p.NAT{Family: p.IP, AddrMin: 1, AddrMax: 1, Flags: 8}}},
		{"a set of the rule's own", []p.Expr{ports}, []p.Expr{own}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Canonical(tc.have); !slices.Equal(got, tc.want) {
				t.Errorf("got\n%swant\n%s", p.Dump(got), p.Dump(tc.want))
			}
		})
	}
}

// Any program is, once it was down and up, what it will stay, and its bytes are
// the same.
func TestDownAndUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exprs := rapid.SliceOfN(anyExpr(), 1, 8).Draw(t, "exprs")
		once := Canonical(exprs)
		if twice := Canonical(once); !slices.Equal(once, twice) {
			t.Fatalf("once\n%stwice\n%s", p.Dump(once), p.Dump(twice))
		}
		for i := range exprs {
			if l, ok := exprs[i].(p.Lookup); ok && l.Name == "" {
				continue
			}
			n, d, err := EncodeExpr(exprs[i])
			n2, d2, err2 := EncodeExpr(once[i])
			if err != nil || err2 != nil || n != n2 || !same([]byte(d), []byte(d2)) {
				t.Fatalf("%v\n%s % x %v\n%v\n%s % x %v", exprs[i], n, d, err, once[i], n2, d2, err2)
			}
		}
		for i, e := range once {
			if _, ok := e.(p.Raw); ok {
				t.Fatalf("%v reads as %v", exprs[i], e)
			}
		}
	})
}

// anyExpr draws expressions of every type but Raw.
func anyExpr() *rapid.Generator[p.Expr] {
	return rapid.Custom(func(t *rapid.T) p.Expr {
		reg := func() p.Reg { return rapid.SampledFrom([]p.Reg{1, 2, 3, 4, 9, 15, 23, 8, 12}).Draw(t, "reg") }
		n := func() uint32 { return rapid.Uint32().Draw(t, "n") }
		yes := func() bool { return rapid.Bool().Draw(t, "yes") }
		word := func() string { return rapid.StringMatching(`[a-z][a-z0-9_.-]{0,15}`).Draw(t, "word") }
		value := func(size int) p.Value {
			return p.Value{Data: string(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "data"))}
		}
		size := rapid.SampledFrom([]int{1, 2, 4, 8, 16}).Draw(t, "size")
		switch rapid.IntRange(0, 25).Draw(t, "type") {
		case 0:
			return p.Payload{Base: p.Base(n()), Offset: n(), Len: n(), Reg: reg()}
		case 1:
			return p.PayloadSet{Base: p.Base(n()), Offset: n(), Len: n(), Reg: reg(), CsumType: n(), CsumOffset: n(), CsumFlags: n()}
		case 2:
			return p.Meta{Key: p.MetaKey(n() % 40), Reg: reg()}
		case 3:
			return p.MetaSet{Key: p.MetaKey(n() % 40), Reg: reg()}
		case 4:
			return p.CT{Key: p.CTKey(n() % 30), Dir: p.Dir(n() % 3), Reg: reg()}
		case 5:
			return p.CTSet{Key: p.CTKey(n() % 30), Dir: p.Dir(n() % 3), Reg: reg()}
		case 6:
			return p.Cmp{Op: p.CmpOp(n()), Reg: reg(), Value: value(size)}
		case 7:
			return p.Range{Not: yes(), Reg: reg(), Lo: value(size), Hi: value(size)}
		case 8:
			return p.Bitwise{Src: reg(), Dst: reg(), Len: uint32(size), Mask: value(size), Xor: value(size)}
		case 9:
			return p.Shift{Src: reg(), Dst: reg(), Len: n(), Left: yes(), Bits: n()}
		case 10:
			return p.Bitwise2{Op: rapid.SampledFrom([]p.BitOp{p.BitAnd, p.BitOr, p.BitXor}).Draw(t, "op"), Src: reg(), Src2: reg(), Dst: reg(), Len: n()}
		case 11:
			return p.Byteorder{Src: reg(), Dst: reg(), ToNetwork: yes(), Len: n(), Size: n()}
		case 12:
			return p.Lookup{Name: word(), Reg: reg(), Not: yes()}
		case 13:
			return p.Lookup{Name: word(), Reg: reg(), Map: true, Dst: reg() % 8}
		case 14:
			return p.Immediate{Reg: reg(), Value: value(size)}
		case 15:
			return p.Verdict{Kind: p.VerdictKind(n()), Chain: rapid.SampledFrom([]string{"", "next"}).Draw(t, "chain")}
		case 16:
			return p.Counter{Packets: uint64(n()) << 20, Bytes: uint64(n()) << 31}
		case 17:
			return p.Limit{Rate: uint64(n()), Unit: uint64(n()), Burst: n(), Bytes: yes(), Over: yes()}
		case 18:
			return p.Quota{Bytes: uint64(n()), Over: yes(), Consumed: uint64(n())}
		case 19:
			if yes() {
				return p.Log{Prefix: word(), Level: n(), Flags: n()}
			}
			return p.Log{Prefix: word(), HasGroup: true, Group: uint16(n()), Snaplen: n(), QThreshold: uint16(n())}
		case 20:
			return p.Reject{Type: n(), Code: uint8(n())}
		case 21:
			e := p.NAT{Dest: yes(), Family: p.Family(n()), AddrMin: reg(), Flags: n()}
			if yes() {
				e.ProtoMin, e.ProtoMax = reg(), reg()
			}
			return e
		case 22:
			if yes() {
				return p.Redir{ProtoMin: reg(), Flags: n()}
			}
			return p.Masq{ProtoMin: reg(), ProtoMax: reg(), Flags: n()}
		case 23:
			return p.Fib{Result: n(), Flags: n(), Reg: reg()}
		case 24:
			return rapid.SampledFrom([]p.Expr{p.Exthdr{Op: n(), Type: n() % 256, Offset: n(), Len: n(), Present: yes(), Reg: reg()},
				p.TCPStrip{Kind: uint8(n())}, p.Dup{Addr: reg(), Dev: reg()}, p.Log{HasGroup: true, NoBytes: true}}).Draw(t, "rare")
		}
		if yes() {
			return p.XTMatch{Name: word(), Rev: n(), Info: value(size).Data}
		}
		return p.XTTarget{Name: word(), Rev: n(), Info: value(size).Data}
	})
}
