package wire

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
)

var (
	ipT     = &p.Table{Family: p.IP, Name: "t"}
	inC     = &p.Chain{Name: "c"}
	inBaseC = &p.Chain{
		Name: "c", Base: true, Hook: p.Hook{Type: "filter", Num: 1}, Policy: p.NFDrop, Counted: true, Packets: 1, Bytes: 2,
	}
)

// encode writes operations, from sequence number 1.
func encode(t testing.TB, gen uint32, ops ...driver.Op) *Batch {
	t.Helper()
	b, err := Encode(driver.Batch{Generation: gen, Ops: ops}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// messages takes a batch apart and checks how it is numbered and framed.
func messages(t testing.TB, b *Batch) []Message {
	t.Helper()
	var out []Message
	for rest := b.Bytes(); ; {
		m, r, ok, err := Next(rest)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		out, rest = append(out, m), r
	}
	for i, m := range out {
		if m.Seq != b.First()+uint32(i) || m.PID != 0 || m.Flags&flagRequest == 0 {
			t.Errorf("message %d: %+v", i, m)
		}
	}
	if out[0].Type != typeBatchBegin || out[len(out)-1].Type != typeBatchEnd || out[len(out)-1].Seq != b.Last() {
		t.Errorf("the batch begins with %+v, ends with %+v", out[0], out[len(out)-1])
	}
	return out[1 : len(out)-1]
}

// The bytes are what nft 1.0.6 sends for the same (nft --debug=mnl), the
// attributes in the order in which we send them.
func TestMessages(t *testing.T) {
	needLittleEndian(t)
	for _, tc := range []struct {
		name  string
		op    driver.Op
		typ   uint16
		flags uint16
		body  string
	}{
		{"table", driver.Op{Kind: driver.AddTable, Table: ipT}, 0xa00, flagCreate,
			"02000000 06000100 74000000 08000200 00000000"},
		{"base chain", driver.Op{Kind: driver.AddChain, Table: ipT, Chain: inBaseC}, 0xa03, flagCreate | flagExcl,
			"02000000 06000100 74000000 06000300 63000000 14000480 08000100 00000001 08000200 00000000" +
				"08000500 00000000 1c000880 0c000100 00000000 00000002 0c000200 00000000 00000001" +
				"0b000700 66696c74 65720000"},
		{"user chain", driver.Op{Kind: driver.AddChain, Table: ipT, Chain: inC}, 0xa03, flagCreate | flagExcl,
			"02000000 06000100 74000000 06000300 63000000"},
		{"rule at the end", driver.Op{Kind: driver.AddRule, Table: ipT, Chain: inC,
			Rule: &p.Rule{Exprs: []p.Expr{p.Verdict{Kind: p.NFAccept}}, UserData: "\x00\x02c\x00"}}, 0xa06, flagCreate | flagAppend,
			"02000000 06000100 74000000 06000200 63000000 34000480 30000180 0e000100 696d6d65 64696174 65000000" +
				"1c000280 08000100 00000000 10000280 0c000280 08000100 00000001 08000700 00026300"},
		{"rule before another", driver.Op{Kind: driver.AddRule, Table: ipT, Chain: inC, Before: 7, Rule: &p.Rule{}}, 0xa06, flagCreate,
			"02000000 06000100 74000000 06000200 63000000 0c000600 00000000 00000007 04000480"},
		{"rule for another", driver.Op{Kind: driver.ReplaceRule, Table: ipT, Chain: inC,
			Rule: &p.Rule{Handle: 7, Exprs: []p.Expr{p.XTMatch{Name: "m", Rev: 1, Info: "1234"}}, Compat: p.Compat{Proto: 6, Flags: 2}}},
			0xa06, flagCreate | flagReplace,
			"02000000 06000100 74000000 06000200 63000000 0c000300 00000000 00000007" +
				"30000480 2c000180 0a000100 6d617463 68000000 1c000280 06000100 6d000000 08000200 00000001 08000300 31323334" +
				"14000580 08000100 00000006 08000200 00000002"},
		{"flush", driver.Op{Kind: driver.FlushChain, Table: ipT, Chain: inC}, 0xa08, 0,
			"02000000 06000100 74000000 06000200 63000000"},
		{"rename", driver.Op{Kind: driver.RenameChain, Table: ipT, Chain: &p.Chain{Name: "c", Handle: 9}, To: "d"}, 0xa03, 0,
			"02000000 06000100 74000000 0c000200 00000000 00000009 06000300 64000000"},
		{"named set", driver.Op{Kind: driver.AddSet, Table: ipT, Set: &p.Set{Name: "s", KeyType: 13, KeyLen: 2, Size: 8}}, 0xa09, flagCreate | flagExcl,
			"02000000 06000100 74000000 06000200 73000000 08000300 00000000 08000400 0000000d 08000500 00000002" +
				"08000a00 00000001 0c000980 08000100 00000008"},
		{"elements", driver.Op{Kind: driver.AddElements, Table: ipT,
			Set: &p.Set{Name: "s", KeyLen: 2, Elements: []p.Element{{Key: "\x00\x19"}, {Key: "\x00\x1a", End: true}}}}, 0xa0c, flagCreate,
			"02000000 06000100 74000000 06000200 73000000 2c000380 10000180 0c000180 06000100 00190000" +
				"18000180 08000300 00000001 0c000180 06000100 001a0000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ms := messages(t, encode(t, 0, tc.op))
			if len(ms) != 1 || ms[0].Type != tc.typ || ms[0].Flags != tc.flags|flagRequest {
				t.Fatalf("messages %+v", ms)
			}
			want := strings.ReplaceAll(tc.body, " ", "")
			if got := hex.EncodeToString(ms[0].Body); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestGenerationOfABatch(t *testing.T) {
	m, _, _, err := Next(encode(t, 0x01020304).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	// AF_UNSPEC, version 0, subsystem 10 in network order; NFNL_BATCH_GENID.
	if got := hex.EncodeToString(m.Body[:4]) + hex.EncodeToString(m.Body[8:]); got != "0000000a01020304" {
		t.Errorf("the batch begins with %s", got)
	}
	if m, _, _, _ := Next(encode(t, 0).Bytes()); len(m.Body) != 4 {
		t.Errorf("without a generation it begins with % x", m.Body)
	}
}

// A rule brings its sets before it, numbered as the rule refers to them.
func TestSetsOfARule(t *testing.T) {
	set := func(ports string) p.Expr {
		return p.Lookup{Const: p.ConstSet{Type: p.TypeService, Len: 2, Elems: ports}, Reg: 1}
	}
	rule := &p.Rule{Exprs: []p.Expr{set("\x00\x01"), p.Lookup{Name: "named", Reg: 1}, set("\x00\x02\x00\x03")}}
	add := driver.Op{Kind: driver.AddRule, Table: ipT, Chain: inC, Rule: rule}
	ms := messages(t, encode(t, 0, driver.Op{Kind: driver.AddSet, Table: ipT, Set: &p.Set{Name: "named", KeyLen: 2}}, add, add))
	want := []uint16{NewSet, NewSet, NewElements, NewSet, NewElements, NewRule, NewSet, NewElements, NewSet, NewElements, NewRule}
	var ids []uint32
	for i, m := range ms {
		if m.Type != want[i] {
			t.Fatalf("message %d has type %#x", i, m.Type)
		}
		var f fields
		if err := m.parse(&f); err != nil {
			t.Fatal(err)
		}
		switch m.Type {
		case NewSet:
			ids = append(ids, f.u32(setID))
		case NewElements:
			if f.u32(elemListSetID) != ids[len(ids)-1] || f.str(elemListSet) != "__set%d" {
				t.Errorf("message %d: elements for set %d %s", i, f.u32(elemListSetID), f.str(elemListSet))
			}
		case NewRule:
			if got := setIDs(t, f[ruleExpressions]); len(got) != 2 || got[0] != ids[len(ids)-2] || got[1] != ids[len(ids)-1] {
				t.Errorf("message %d: the rule refers to %v of %v", i, got, ids)
			}
		}
	}
	for i, id := range ids {
		if id != uint32(i)+1 {
			t.Errorf("sets are numbered %v", ids)
		}
	}
}

// setIDs are the numbers that a rule's lookups refer to.
func setIDs(t *testing.T, list []byte) (ids []uint32) {
	a := attrs(list)
	for {
		_, val, _, ok := a.next()
		if !ok {
			return ids
		}
		_, data, ok := nameData(val)
		var f fields
		if !ok || !f.parse(data) {
			t.Fatal("no expression")
		}
		if f[lookupSetID] != nil {
			ids = append(ids, f.u32(lookupSetID))
		}
	}
}

// Long lists go into as many messages as they need.
func TestManyElements(t *testing.T) {
	s := &p.Set{Name: "s", KeyLen: 4}
	for i := range 10000 {
		s.Elements = append(s.Elements, p.Element{Key: p.Net32(uint32(i)).Data})
	}
	b := encode(t, 0, driver.Op{Kind: driver.AddElements, Table: ipT, Set: s})
	n := 0
	for i, m := range messages(t, b) {
		if b.msgs[i].element != n {
			t.Errorf("message %d says it begins with %d, not %d", i, b.msgs[i].element, n)
		}
		es, err := DecodeElements(m, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			if e != s.Elements[n] {
				t.Fatalf("element %d reads %+v", n, e)
			}
			n++
		}
	}
	if n != len(s.Elements) || len(b.msgs) != 3 { // of 16 bytes each
		t.Errorf("%d elements in %d messages", n, len(b.msgs))
	}
}

// Elements are written as their set wants them, wherever that is known from.
func TestElementsOfANamedSet(t *testing.T) {
	marks := &p.Set{Name: "m", KeyLen: 4, Host: true, Flags: p.SetMap, DataType: dataTypeVerdict}
	bare := &p.Set{Name: "m", Elements: []p.Element{{Key: "\x00\x00\x00\x05"}}} // and its verdict is drop, which is 0
	full := *marks
	full.Elements = bare.Elements
	add := func(s *p.Set) driver.Op { return driver.Op{Kind: driver.AddElements, Table: ipT, Set: s} }
	last := func(b *Batch, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		ms := messages(t, b)
		return string(ms[len(ms)-1].Body)
	}
	want := last(Encode(driver.Batch{Ops: []driver.Op{add(&full)}}, 1, nil))
	if !strings.Contains(want, string(binary.NativeEndian.AppendUint32(nil, 5))) {
		t.Errorf("% x", want)
	}
	made := last(Encode(driver.Batch{Ops: []driver.Op{{Kind: driver.AddSet, Table: ipT, Set: marks}, add(bare)}}, 1, nil))
	found := last(Encode(driver.Batch{Ops: []driver.Op{add(bare)}}, 1, func(tt *p.Table, name string) *p.Set {
		if tt != ipT || name != "m" {
			t.Errorf("asked for %v %s", tt, name)
		}
		return marks
	}))
	if made != want || found != want {
		t.Errorf("described    % x\nmade before  % x\nfound        % x", want, made, found)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	rule := func(r *p.Rule) driver.Op { return driver.Op{Kind: driver.AddRule, Table: ipT, Chain: inC, Rule: r} }
	for name, op := range map[string]driver.Op{
		"no table":          {Kind: driver.AddTable},
		"no kind":           {Table: ipT},
		"no chain":          {Kind: driver.AddChain, Table: ipT},
		"no rule":           {Kind: driver.AddRule, Table: ipT, Chain: inC},
		"no set":            {Kind: driver.AddSet, Table: ipT},
		"set without name":  {Kind: driver.AddSet, Table: ipT, Set: &p.Set{}},
		"too much userdata": rule(&p.Rule{UserData: strings.Repeat("u", 257)}),
		"too long a blob":   rule(&p.Rule{Exprs: []p.Expr{p.XTMatch{Name: "x", Info: strings.Repeat("i", 1<<16)}}}),
		"a test":            rule(&p.Rule{Exprs: []p.Expr{p.Test{}}}),
	} {
		ops := []driver.Op{{Kind: driver.AddTable, Table: ipT}, op}
		b, err := Encode(driver.Batch{Ops: ops}, 1, nil)
		var at *OpError
		if !errors.As(err, &at) || at.Op != 1 {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
}

// needLittleEndian passes over bytes that were written down for such a machine.
func needLittleEndian(t *testing.T) {
	t.Helper()
	if !littleEndian {
		labtest.Require(t, "a little-endian machine", errors.New("this one is big-endian"))
	}
}
