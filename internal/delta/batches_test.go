package delta

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// rules are n rules.
func rules(n uint32) []*program.Rule {
	var out []*program.Rule
	for i := range n {
		out = append(out, accept(i+1))
	}
	return out
}

// TestStageIsSplit: what is staged goes in as many transactions as it takes, each
// of which fits, all operations in order.
func TestStageIsSplit(t *testing.T) {
	const most = 20_000
	p := Diff(&program.Program{}, table(base("INPUT", jump(1, "U")), user("U", rules(1000)...)), Options{MaxBatch: most})
	stage, turn, sweep, err := p.Batches()
	if err != nil || len(stage) < 5 || len(sweep) != 0 || say(turn) != "add chain INPUT; add rule INPUT 1" {
		t.Fatalf("%d stages, switch %q, %d sweeps, %v", len(stage), say(turn), len(sweep), err)
	}
	if say(slices.Concat(stage...)) != say(p.Stage) {
		t.Error("the stages are not what is staged")
	}
	for i, ops := range stage {
		if n := encoded(t, ops); n > most || i < len(stage)-1 && n < most*3/4 {
			t.Errorf("stage %d has %d bytes of %d", i, n, most)
		}
	}
}

// TestSwitchTooLarge: the switch is one transaction or none.
func TestSwitchTooLarge(t *testing.T) {
	p := Diff(table(base("INPUT")), table(base("INPUT", rules(1000)...)), Options{MaxBatch: 20_000})
	_, _, _, err := p.Batches()
	var large *driver.TooLargeError
	if !errors.As(err, &large) || large.Max != 20_000 || large.Size <= large.Max {
		t.Errorf("%v, want a *driver.TooLargeError", err)
	}
	p = Diff(table(base("INPUT")), table(base("INPUT", rules(1000)...)), Options{
		MaxBatch: 20_000, Size: func(driver.Op) int { return 19 }})
	if _, turn, _, err := p.Batches(); err != nil || len(turn) != 1000 {
		t.Errorf("%v, though the caller's sizes fit", err)
	}
}

// TestSomethingInTurn: a plan that only stages or only sweeps has its last, or
// first, transaction as its switch, so that the switch is never empty.
func TestSomethingInTurn(t *testing.T) {
	p := Diff(table(), table(user("U", rules(100)...)), Options{MaxBatch: 5000})
	stage, turn, _, err := p.Batches()
	if err != nil || len(stage) == 0 || len(turn) == 0 || say(slices.Concat(slices.Concat(stage...), turn)) != say(p.Stage) {
		t.Errorf("%d stages, switch %q, %v", len(stage), say(turn), err)
	}
	p = Diff(table(user("U"), user("V")), table(), Options{MaxBatch: 150})
	_, turn, sweep, err := p.Batches()
	if err != nil || say(turn) != "delete chain U" || len(sweep) != 1 {
		t.Errorf("switch %q, %d sweeps, %v", say(turn), len(sweep), err)
	}
}

// TestTrial: what is tried is what is added, but for chains whose name is taken.
func TestTrial(t *testing.T) {
	have := held(table(base("INPUT", accept(1)), user("W")))
	want := base("INPUT", accept(1), accept(2))
	want.Hook.Priority = 5
	p := Diff(have, table(want, user("U", accept(3))), Options{})
	if got := say(p.Trial()); got != "add chain U; add rule U 3; add rule INPUT 1 [10]; add rule INPUT 2" {
		t.Error(got)
	}
}

// TestRangesStayTogether: operations on elements are of a bounded size, and do not
// part a range's two elements.
func TestRangesStayTogether(t *testing.T) {
	s := &program.Set{Name: "s", KeyLen: 2, Flags: program.SetInterval}
	s.Elements = append(s.Elements, program.Element{Key: "\x00\x00", End: true})
	for i := range uint16(3000) {
		s.Elements = append(s.Elements, program.Element{Key: program.Net16(4*i + 1).Data},
			program.Element{Key: program.Net16(4*i + 3).Data, End: true})
	}
	n := 0
	for _, op := range Diff(table(), table(s), Options{}).Stage[1:] {
		if e := op.Set.Elements; n > 0 && e[0].End || len(e) > elementsEach+1 {
			t.Errorf("%d elements from %d on begin with %+v", len(e), n, e[0])
		}
		n += len(op.Set.Elements)
	}
	if n != len(s.Elements) {
		t.Errorf("%d elements, want %d", n, len(s.Elements))
	}
}

// encoded is how long a transaction really is.
func encoded(t interface{ Fatal(...any) }, ops []driver.Op) int {
	b, err := wire.Encode(driver.Batch{Ops: ops, Generation: 7}, 1, func(t *program.Table, name string) *program.Set { return t.Set(name) })
	if err != nil {
		t.Fatal(err)
	}
	return len(b.Bytes())
}

// TestEstimate: an operation takes at most what is estimated, and those of which
// there are many not much less.
func TestEstimate(t *testing.T) {
	text := func(most int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string { return strings.Repeat("x", rapid.IntRange(1, most).Draw(t, "length")) })
	}
	expr := rapid.Custom(func(t *rapid.T) program.Expr {
		v := program.Value{Data: text(16).Draw(t, "value")}
		u := rapid.Uint32Range(1, 1<<31).Draw(t, "number")
		return rapid.SampledFrom([]program.Expr{
			program.Payload{Base: 1, Offset: u, Len: u, Reg: 1},
			program.PayloadSet{Base: 1, Offset: u, Len: u, Reg: 1, CsumType: u, CsumOffset: u, CsumFlags: u},
			program.Meta{Key: 3, Reg: 1}, program.MetaSet{Key: 3, Reg: 1},
			program.CT{Key: 8, Dir: program.Reply, Reg: 1}, program.CTSet{Key: 3, Reg: 1},
			program.Cmp{Op: 1, Reg: 1, Value: v},
			program.Range{Reg: 1, Lo: v, Hi: v},
			program.Bitwise{Src: 1, Dst: 1, Len: uint32(len(v.Data)), Mask: v, Xor: v},
			program.Shift{Src: 1, Dst: 1, Len: 4, Left: true, Bits: u},
			program.Bitwise2{Op: program.BitOr, Src: 1, Src2: 2, Dst: 3, Len: 4},
			program.Byteorder{Src: 1, Dst: 1, Len: 4, Size: 4},
			program.Lookup{Name: text(31).Draw(t, "set"), Reg: 1, Map: true, Dst: 1},
			program.Lookup{Reg: 1, Const: program.ConstSet{Type: 13, Len: 2, Elems: text(9).Draw(t, "half") + text(9).Draw(t, "half")}},
			program.Lookup{Reg: 1, Const: program.ConstSet{Type: 13, Len: 2, Elems: strings.Repeat("ab", 1000)}},
			program.Immediate{Reg: 1, Value: v},
			program.Verdict{Kind: program.NFTJump, Chain: text(28).Draw(t, "chain")}, program.Verdict{Kind: program.NFDrop},
			program.Counter{Packets: 1 << 60, Bytes: 1 << 60},
			program.Limit{Rate: 1 << 60, Unit: 1, Burst: u, Bytes: true, Over: true},
			program.Quota{Bytes: 1 << 60, Over: true, Consumed: 5},
			program.Log{Prefix: text(127).Draw(t, "prefix"), Level: 4, Flags: 31},
			program.Log{Prefix: "p", HasGroup: true, Group: 5, Snaplen: u, QThreshold: 7},
			program.Reject{Type: 1, Code: 3},
			program.NAT{Dest: true, Family: program.IP, AddrMin: 1, AddrMax: 2, ProtoMin: 3, ProtoMax: 4, Flags: 0x1f},
			program.Masq{ProtoMin: 1, ProtoMax: 2, Flags: 4}, program.Redir{ProtoMin: 1, ProtoMax: 2, Flags: 4},
			program.Fib{Result: 3, Flags: 7, Reg: 1}, program.Exthdr{Op: 1, Type: 2, Offset: 3, Len: 4, Present: true, Reg: 1},
			program.TCPStrip{Kind: 2}, program.Dup{Addr: 1, Dev: 2}, program.Notrack{},
			program.XTMatch{Name: text(29).Draw(t, "match"), Rev: 1, Info: text(300).Draw(t, "info")},
			program.XTTarget{Name: text(29).Draw(t, "target"), Rev: 1, Info: text(300).Draw(t, "info")},
			program.Raw{Name: text(20).Draw(t, "raw"), Data: text(300).Draw(t, "data")},
		}).Draw(t, "expression")
	})
	rapid.Check(t, func(t *rapid.T) {
		tab := &program.Table{Family: program.IP, Name: text(40).Draw(t, "table"), UserData: text(100).Draw(t, "userdata")}
		c := &program.Chain{Name: text(40).Draw(t, "chain"), Base: true, Policy: program.NFDrop, Counted: true, Handle: 9,
			Hook: program.Hook{Type: "filter", Num: 1, Priority: -5}, UserData: text(100).Draw(t, "userdata")}
		if rapid.Bool().Draw(t, "user chain") {
			c.Base = false
		}
		r := &program.Rule{Exprs: rapid.SliceOfN(expr, 0, 6).Draw(t, "expressions"), Handle: 7,
			UserData: text(200).Draw(t, "userdata"), Compat: program.Compat{Proto: 6, Flags: 2}}
		s := &program.Set{Name: text(40).Draw(t, "set"), KeyType: 13, KeyLen: 2, Size: 99, Timeout: 5, UserData: text(99).Draw(t, "userdata"),
			Flags: program.SetMap | program.SetTimeout, DataType: 0xffffff00}
		for range rapid.SampledFrom([]int{0, 1, 3, 1024}).Draw(t, "elements") {
			s.Elements = append(s.Elements, program.Element{Key: "ab", KeyEnd: "cd", UserData: "xyz",
				Verdict: program.Verdict{Kind: program.NFTJump, Chain: "chain"}})
		}
		for kind := driver.AddTable; kind <= driver.RenameChain; kind++ {
			if kind == driver.UpdateChain && !c.Base {
				continue
			}
			op := driver.Op{Kind: kind, Table: tab, Chain: c, Rule: r, Set: s, To: "another"}
			switch {
			case kind == driver.AddSet || kind == driver.DeleteSet || kind == driver.AddElements || kind == driver.DeleteElements:
				op.Chain, op.Rule = nil, nil
			case kind == driver.AddRule:
				op.Before = 5
			}
			got, most := encoded(t, []driver.Op{op}), frame+estimate(op)
			tight := kind == driver.AddRule || kind == driver.AddSet || kind == driver.AddElements
			if got > most || tight && most > 2*got+100 {
				t.Fatalf("%v takes %d bytes, %d estimated", kind, got, most)
			}
		}
	})
}
