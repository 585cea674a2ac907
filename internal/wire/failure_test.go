package wire

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
)

// refusal is an error message as the kernel writes it: errno, the header of the
// request or all of it, and what the extended acknowledgement adds.
func refusal(seq uint32, errno int32, request []byte, capped bool, words string, offs int) Message {
	m := Message{Type: TypeError, Seq: seq}
	m.Body = binary.NativeEndian.AppendUint32(nil, uint32(-errno))
	if capped {
		m.Flags |= flagCapped
		request = request[:headerLen]
	}
	m.Body = append(m.Body, request...)
	var w writer
	if words != "" {
		w.str(errMsg, words)
	}
	if offs >= 0 {
		w.head(errOffs, 4)
		w.b = binary.NativeEndian.AppendUint32(w.b, uint32(offs))
	}
	if len(w.b) > 0 {
		m.Flags |= flagTLVs
	}
	m.Body = append(m.Body, w.b...)
	return m
}

func TestFailures(t *testing.T) {
	set := &p.Set{Name: "s", KeyLen: 4}
	for i := range 5000 {
		set.Elements = append(set.Elements, p.Element{Key: p.Net32(uint32(i)).Data})
	}
	ports := p.Lookup{Const: p.ConstSet{Type: p.TypeService, Len: 2, Elems: "\x00\x19"}, Reg: 1}
	b := encode(t, 0,
		driver.Op{Kind: driver.AddTable, Table: ipT},
		driver.Op{Kind: driver.AddRule, Table: ipT, Chain: inC, Rule: &p.Rule{Exprs: []p.Expr{ports, p.Counter{}, p.Verdict{Kind: p.NFTJump, Chain: "x"}}}},
		driver.Op{Kind: driver.AddElements, Table: ipT, Set: set})
	var types []uint16
	for _, m := range messages(t, b) {
		types = append(types, m.Type)
	}
	// 1 table, 2 set, 3 its element, 4 rule, 5 and 6 elements
	if len(types) != 6 || types[3] != NewRule || types[5] != NewElements {
		t.Fatalf("messages %x", types)
	}
	request := func(n int) []byte { return b.Bytes()[b.msgs[n-1].at:] }
	// Offsets in the rule: header 20, table 8, chain 8, list header 4, then expressions.
	const first = 20 + 8 + 8 + 4
	lookup := int(binary.NativeEndian.Uint16(request(4)[first:]))
	counter := int(binary.NativeEndian.Uint16(request(4)[first+lookup:]))
	const elem = 4 + 4 + 4 + 4 // list element, key, data, its four bytes

	for _, tc := range []struct {
		name   string
		n      int
		offs   int
		words  string
		capped bool
		op     int
		attr   string
		expr   int
	}{
		{"begin", 0, -1, "", true, -1, "", -1},
		{"end", 7, -1, "", true, -1, "", -1},
		{"table, whole request", 1, 20, "no such table", false, 0, "NFTA_TABLE_NAME", -1},
		{"table, without words", 1, 28, "", true, 0, "NFTA_TABLE_FLAGS", -1},
		{"a set of the rule", 2, 20, "", true, 1, "NFTA_SET_TABLE", -1},
		{"its element", 3, -1, "", true, 1, "", -1},
		{"chain of the rule", 4, 28, "", true, 1, "NFTA_RULE_CHAIN", -1},
		{"first expression", 4, first, "", true, 1, "NFTA_RULE_EXPRESSIONS/0", 0},
		{"within it", 4, first + lookup - 4, "", true, 1, "NFTA_RULE_EXPRESSIONS/0", 0},
		{"second", 4, first + lookup, "", true, 1, "NFTA_RULE_EXPRESSIONS/1", 1},
		{"third", 4, first + lookup + counter, "a word", true, 1, "NFTA_RULE_EXPRESSIONS/2", 2},
		{"the list itself", 4, first - 4, "", true, 1, "NFTA_RULE_EXPRESSIONS", -1},
		{"beyond the message", 4, 5000, "", true, 1, "", -1},
		{"in the header", 4, 3, "", true, 1, "", -1},
		{"an element", 5, first + 2*elem, "", true, 2, "NFTA_SET_ELEM_LIST_ELEMENTS/2", -1},
		{"an element of a later message", 6, first + elem, "", true, 2, "", -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := b.Bytes()[:headerLen]
			if tc.n >= 1 && tc.n <= 6 {
				req = request(tc.n)[:binary.NativeEndian.Uint32(request(tc.n))]
			}
			want := driver.Failure{Op: tc.op, Err: syscall.ENOENT, Attr: tc.attr, Expr: tc.expr, Words: tc.words}
			f, ok := b.Failure(refusal(b.First()+uint32(tc.n), 2, req, tc.capped, tc.words, tc.offs))
			if tc.name == "an element of a later message" {
				want.Attr = fmt.Sprintf("NFTA_SET_ELEM_LIST_ELEMENTS/%d", b.msgs[5].element+1)
			}
			if !ok || f != want {
				t.Errorf("%+v, %t, want %+v", f, ok, want)
			}
		})
	}
	for _, seq := range []uint32{b.First() - 1, b.Last() + 1} {
		if f, ok := b.Failure(refusal(seq, 2, b.Bytes(), true, "", -1)); ok {
			t.Errorf("message %d is taken for %+v", seq, f)
		}
	}
}
