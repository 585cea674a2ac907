package wire

import (
	"reflect"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
)

// everything is a batch with a message of each kind.
func everything(t testing.TB) *Batch {
	base := *inBaseC
	base.Hook.Device, base.UserData = "eth0", "\x00\x02c\x00"
	mark := &p.Set{
		Name: "m", KeyType: 19, KeyLen: 4, Host: true, Flags: p.SetMap | p.SetTimeout, DataType: dataTypeVerdict, DataLen: 16,
		Size: 9, Timeout: 5000, UserData: note(0, 1), Elements: []p.Element{
			{Key: "\x00\x00\x00\x05", Verdict: p.Verdict{Kind: p.NFTGoto, Chain: "c"}, UserData: "\x00\x02c\x00"},
			{CatchAll: true, Verdict: p.Verdict{Kind: p.NFDrop}},
		},
	}
	nets := SetOf("n", p.ConstSet{Type: p.TypeIPv4, Len: 4, Interval: true, Elems: "\x0a\x00\x00\x00\x0a\x00\x00\xff"})
	ports := p.Lookup{Const: p.ConstSet{Type: p.TypeService, Len: 2, Elems: "\x00\x19\x00\x50"}, Reg: 1}
	rule := func(e ...p.Expr) driver.Op {
		return driver.Op{Kind: driver.AddRule, Table: ipT, Chain: inC, Rule: &p.Rule{Exprs: e, UserData: "u"}}
	}
	return encode(t, 7,
		driver.Op{Kind: driver.AddTable, Table: &p.Table{Family: p.Inet, Name: "t", UserData: "u", Flags: 1}},
		driver.Op{Kind: driver.AddChain, Table: ipT, Chain: &base},
		driver.Op{Kind: driver.AddSet, Table: ipT, Set: mark}, driver.Op{Kind: driver.AddElements, Table: ipT, Set: mark},
		driver.Op{Kind: driver.AddSet, Table: ipT, Set: nets}, driver.Op{Kind: driver.AddElements, Table: ipT, Set: nets},
		rule(p.Payload{Base: p.Transport, Offset: 2, Len: 2, Reg: 1}, ports, p.Counter{Packets: 1}, p.Verdict{Kind: p.NFAccept}),
		rule(p.Meta{Key: p.MetaMark, Reg: 1}, p.Bitwise{Src: 1, Dst: 1, Len: 4, Mask: p.Host32(255), Xor: p.Host32(0)},
			p.Cmp{Op: p.Ne, Reg: 1, Value: p.Host32(5)}, p.XTTarget{Name: "TEE", Rev: 1, Info: "12345678"}),
		rule(p.Raw{Name: "numgen", Data: "\x08\x00\x01\x00\x00\x00\x00\x01"}, p.Log{HasGroup: true}, p.Quota{Bytes: 5}))
}

// FuzzMessages: whatever arrives, nothing panics, and what could be decoded is
// encoded to what decodes the same.
func FuzzMessages(f *testing.F) {
	f.Add(everything(f).Bytes())
	for _, b := range [][]byte{
		nil, AskGeneration(1), DumpRules(1, p.IP, "t", "c"), DumpElements(1, p.IP, "t", "s"), AskXT(1, p.IP, "tcp", 0, false),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Decoder
		for {
			m, rest, ok, err := Next(b)
			if err != nil || !ok {
				return
			}
			b = rest
			checkTable(t, m)
			checkChain(t, m)
			checkRule(t, m, &d)
			checkSet(t, m)
			_, _ = DecodeGeneration(m)
			_, _ = EventTable(m)
			_ = m.Errno()
		}
	})
}

// again is a message with what body writes.
func again(m Message, body func(w *writer)) (Message, bool) {
	var w writer
	at := w.message(m.Type, 0, 1, m.Family(), 0)
	body(&w)
	w.end(at)
	n, _, ok, err := Next(w.b)
	return n, w.err == nil && ok && err == nil
}

func checkTable(t *testing.T, m Message) {
	one, err := DecodeTable(m)
	if err != nil {
		return
	}
	n, ok := again(m, func(w *writer) { w.table(one) })
	two, err := DecodeTable(n)
	if err == nil {
		two.Handle, two.Port = one.Handle, one.Port
	}
	if !ok || err != nil || !reflect.DeepEqual(one, two) {
		t.Errorf("%+v reads again %+v, %v", one, two, err)
	}
}

func checkChain(t *testing.T, m Message) {
	table, one, err := DecodeChain(m)
	if err != nil || one.Counted && !one.Base {
		return
	}
	n, ok := again(m, func(w *writer) { w.chain(table, one) })
	table2, two, err := DecodeChain(n)
	if err == nil {
		two.Handle, two.Use = one.Handle, one.Use
	}
	if !ok || err != nil || table != table2 || !reflect.DeepEqual(one, two) {
		t.Errorf("%+v reads again %+v, %v", one, two, err)
	}
}

// checkRule: every expression keeps its very bytes.
func checkRule(t *testing.T, m Message, d *Decoder) {
	_, _, r, err := d.Rule(m)
	if err != nil {
		return
	}
	var f fields
	if err := m.parse(&f); err != nil {
		t.Fatal(err)
	}
	a := attrs(f[ruleExpressions])
	for _, e := range r.Exprs {
		_, val, _, _ := a.next()
		name, data, _ := nameData(val)
		n, again, err := EncodeExpr(e)
		if err != nil || n != string(name) || !sameOrRaw(e, again, data) {
			t.Errorf("%v\nwas %s % x\nis  %s % x, %v", e, name, data, n, again, err)
		}
	}
}

// sameOrRaw compares an expression's data with what was read.
func sameOrRaw(e p.Expr, ours string, theirs []byte) bool {
	switch e := e.(type) {
	case p.Raw:
		return e.Data == string(theirs)
	case p.TCPStrip: // what the kernel dumps of it, it does not take
		var w writer
		w.dumpedStrip(e)
		_, dumped, _ := nameData(w.b)
		return same([]byte(ours), theirs) || same(dumped, theirs)
	}
	return same([]byte(ours), theirs)
}

func checkSet(t *testing.T, m Message) {
	table, one, _, err := DecodeSet(m)
	if err != nil || one.Name == "" {
		return
	}
	n, ok := again(m, func(w *writer) { w.newSet(table, one, 1) })
	if !ok {
		return
	}
	_, two, _, err := DecodeSet(n)
	if err != nil {
		t.Fatalf("%+v does not read again: %v", one, err)
	}
	two.Handle = one.Handle
	if one.Flags&p.SetMap == 0 {
		one.DataType, one.DataLen = 0, 0
	}
	if !reflect.DeepEqual(one, two) {
		t.Errorf("%+v reads again %+v", one, two)
	}
	es, err := DecodeElements(m, one)
	for _, e := range es {
		var w writer
		w.element(one, turner(one), &e)
		a := attrs(w.b)
		_, val, _, ok := a.next()
		if w.err != nil || err != nil || !ok {
			return
		}
		if f, err := decodeElement(val, one, turner(one)); err == nil && e.Key != "" && !e.End && e != f {
			t.Errorf("%+v reads again %+v", e, f)
		}
	}
}

// FuzzExpr: an expression keeps its very bytes, and once it is decoded it stays so.
func FuzzExpr(f *testing.F) {
	for _, j := range []p.Expr{
		p.Payload{Len: 4, Reg: 1}, p.CT{Key: p.CTSrc, Dir: p.Reply, Reg: 1}, p.Cmp{Reg: 1, Value: p.Host32(5)},
		p.Range{Lo: p.Net16(1), Hi: p.Net16(2)}, p.Bitwise{Mask: p.Net16(1), Xor: p.Net16(2)}, p.Shift{Bits: 3},
		p.Byteorder{Len: 4}, p.Lookup{Name: "s", Map: true}, p.Verdict{Kind: p.NFTJump, Chain: "c"},
		p.Immediate{Reg: 1, Value: p.Net16(1)}, p.Counter{Bytes: 1}, p.Limit{Rate: 3}, p.Quota{Bytes: 5}, p.Log{Prefix: "p"},
		p.Reject{Type: 1}, p.NAT{AddrMin: 1, ProtoMin: 2}, p.Masq{Flags: 4}, p.Redir{ProtoMin: 1}, p.Fib{Result: 3},
		p.Exthdr{Len: 2}, p.TCPStrip{Kind: 2}, p.Dup{Addr: 1}, p.Notrack{}, p.XTMatch{Name: "m", Info: "12345678"}, p.XTTarget{Name: "T"},
	} {
		name, data, err := EncodeExpr(j)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, []byte(data))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if len(data) > 1<<15 || len(name) > 100 {
			return
		}
		e := DecodeExprs([]p.Raw{{Name: name, Data: string(data)}})[0]
		n, again, err := EncodeExpr(e)
		if err != nil || n != name || len(data)%4 == 0 && !sameOrRaw(e, again, data) {
			t.Errorf("%v: % x is % x, %v", e, data, again, err)
		}
		if c := Canonical([]p.Expr{e}); c[0] != e {
			t.Errorf("%v is canonically %v", e, c[0])
		}
		_ = e.String()
	})
}

// FuzzFailure: the kernel may point anywhere.
func FuzzFailure(f *testing.F) {
	b := everything(f)
	for _, offs := range []int{-1, 0, 20, 60, 1 << 20} {
		f.Add(uint32(3), uint16(flagTLVs|flagCapped), refusal(3, 2, b.Bytes(), true, "w", offs).Body)
	}
	f.Fuzz(func(t *testing.T, seq uint32, flags uint16, body []byte) {
		m := Message{Type: TypeError, Flags: flags, Seq: seq, Body: body}
		if fail, ok := b.Failure(m); ok && (fail.Op < -1 || fail.Op > 8) {
			t.Errorf("operation %d", fail.Op)
		}
	})
}
