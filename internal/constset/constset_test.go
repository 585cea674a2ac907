package constset

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// list is an interval set of a type: pairs of first and last number.
func list(typ program.KeyType, n int, host bool, bounds ...uint64) program.ConstSet {
	c := program.ConstSet{Type: typ, Len: uint32(n), Host: host, Interval: true}
	for _, b := range bounds {
		for i := range n {
			shift := 8 * (n - 1 - i)
			if shift >= 64 {
				c.Elems += "\x00"
				continue
			}
			c.Elems += string([]byte{byte(b >> shift)})
		}
	}
	return c
}

func ports(bounds ...uint64) program.ConstSet { return list(program.TypeService, 2, false, bounds...) }

// in is a rule that looks a port up.
func in(c program.ConstSet, not bool) *program.Rule {
	return &program.Rule{Exprs: []program.Expr{
		program.Payload{Base: program.Transport, Offset: 2, Len: 2, Reg: 1},
		program.Lookup{Const: c, Reg: 1, Not: not},
		program.Counter{Packets: 3},
		program.Verdict{Kind: program.NFAccept},
	}, UserData: "u", Handle: 7, Line: 9, Compat: program.Compat{Proto: 6}}
}

func table(rules ...*program.Rule) *program.Program {
	return &program.Program{Tables: []*program.Table{{Family: program.IP, Name: "t", Chains: []*program.Chain{
		{Name: "INPUT", Base: true, Handle: 4, Rules: rules}, {Name: "U"},
	}}}}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		list program.ConstSet
		want string
	}{
		{ports(25, 25, 80, 90), "ports_25_80-90"},
		{ports(0, 65535), "ports_0-65535"},
		{ports(1000, 2000, 3000, 4000, 5000, 5999), "ports_"}, // 35 bytes written out
		{list(program.TypeProto, 1, false, 6, 17), "protos_6-17"},
		{list(program.TypeIPv4, 4, false, 0x0a000001, 0x0a000009), "addrs_10.0.0.1-10.0.0.9"},
		{list(program.TypeIPv4, 4, false, 0xc0a86401, 0xc0a864fe), "addrs_"}, // 32 bytes written out
		{list(program.TypeIPv6, 16, false, 1, 9), "addrs6_"},
		{list(program.TypeMark, 4, true, 1, 255), "marks_0x1-0xff"},
		{list(program.TypeMark, 4, false, 1, 255), "set19_"},
		{list(program.TypeUID, 4, true, 0, 999), "uids_0-999"},
		{list(program.TypeInteger, 4, true, 0, 999), "set4_"},
	} {
		got := Lower(table(in(c.list, false))).Tables[0].Sets[0].Name
		if c.want[len(c.want)-1] == '_' { // and a hash of 16 digits
			if len(got) != len(c.want)+16 || got[:len(c.want)] != c.want {
				t.Errorf("%v: %q, want %q and a hash", c.list, got, c.want)
			}
		} else if got != c.want {
			t.Errorf("%v: %q, want %q", c.list, got, c.want)
		}
	}
}

// TestElements: ranges as the kernel keeps them, first key and the key after the last.
func TestElements(t *testing.T) {
	type element struct {
		Key string
		End bool
	}
	for _, c := range []struct {
		list program.ConstSet
		want []element
	}{
		{ports(25, 25, 80, 90), []element{{"0000", true}, {"0019", false}, {"001a", true}, {"0050", false}, {"005b", true}}},
		{ports(0, 9), []element{{"0000", false}, {"000a", true}}},
		{ports(9, 65535), []element{{"0000", true}, {"0009", false}}},
		{ports(0, 65535), []element{{"0000", false}}},
	} {
		p := Lower(table(in(c.list, false)))
		s := p.Tables[0].Sets[0]
		var got []element
		for _, e := range s.Elements {
			got = append(got, element{fmt.Sprintf("%x", e.Key), e.End})
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%v:\n%s", c.list, d)
		}
		if s.Flags != program.SetConstant|program.SetInterval || s.KeyType != 13 || s.KeyLen != 2 || int(s.Size) != len(c.want) {
			t.Errorf("%v: flags %#x, key type %d of %d bytes, size %d", c.list, s.Flags, s.KeyType, s.KeyLen, s.Size)
		}
	}
}

// TestShared: rules with one list look up one set; lists of single keys, and
// lookups that have a name, are left alone.
func TestShared(t *testing.T) {
	exact := program.ConstSet{Type: program.TypeService, Len: 2, Elems: "\x00\x19\x00\x50"}
	named := in(ports(1, 5), false)
	named.Exprs[1] = program.Lookup{Name: "foreign", Const: ports(1, 5), Reg: 1}
	p := table(in(ports(1, 5), false), in(exact, false), in(ports(1, 5), true), in(ports(7, 9), false), named)
	got := Lower(p).Tables[0]
	if len(got.Sets) != 2 || got.Sets[0].Name != "ports_1-5" || got.Sets[1].Name != "ports_7-9" {
		t.Fatalf("sets %v", got.Sets)
	}
	var names []string
	for _, r := range got.Chains[0].Rules {
		names = append(names, r.Exprs[1].(program.Lookup).Name)
	}
	if d := cmp.Diff([]string{"ports_1-5", "", "ports_1-5", "ports_7-9", "foreign"}, names); d != "" {
		t.Error(d)
	}
	if got.Chains[0].Rules[1] != p.Tables[0].Chains[0].Rules[1] || got.Chains[1] != p.Tables[0].Chains[1] {
		t.Error("what did not change was copied")
	}
	if r := got.Chains[0].Rules[0]; r.Handle != 7 || r.Line != 9 || r.UserData != "u" || r.Compat.Proto != 6 {
		t.Errorf("the rule lost something: %+v", r)
	}
}

// TestTaken: a set of that name with other content is somebody's.
func TestTaken(t *testing.T) {
	p := table(in(ports(1, 5), false))
	theirs := Lower(table(in(ports(1, 6), false))).Tables[0].Sets[0]
	theirs.Name = "ports_1-5"
	p.Tables[0].Sets = []*program.Set{theirs, {Name: "ports_1-5.1", KeyLen: 2}}
	low := Lower(p)
	if s := low.Tables[0].Sets; len(s) != 3 || s[2].Name != "ports_1-5.2" || s[0] != theirs {
		t.Fatalf("sets %v", s)
	}
	if d := cmp.Diff(p, Raise(low)); d != "" {
		t.Error(d)
	}
}

// TestLeftAlone: what Raise must not touch.
func TestLeftAlone(t *testing.T) {
	for name, change := range map[string]func(*program.Table){
		"other content": func(t *program.Table) {
			t.Sets[0].Elements[2].Key = "\x00\x60"
			t.Chains[0].Rules[0].Exprs[1] = program.Lookup{Name: "ports_80-90", Const: ports(80, 95), Reg: 1}
		},
		"not constant":   func(t *program.Table) { t.Sets[0].Flags = program.SetInterval },
		"with a timeout": func(t *program.Table) { t.Sets[0].Flags |= program.SetTimeout },
		"not our name": func(t *program.Table) {
			t.Sets[0].Name = "ports_80-90.x"
			t.Chains[0].Rules[0].Exprs[1] = program.Lookup{Name: "ports_80-90.x", Reg: 1}
		},
		"used as a map": func(t *program.Table) { t.Chains[0].Rules[0].Exprs[1] = program.Lookup{Name: "ports_80-90", Map: true} },
		"used unreadably": func(t *program.Table) {
			t.Chains[0].Rules[0].Exprs[1] = program.Raw{Name: "lookup", Data: "\x10\x00\x01\x00ports_80-90\x00"}
		},
	} {
		p := Lower(table(in(ports(80, 90), false)))
		change(p.Tables[0])
		if d := cmp.Diff(p, Raise(p)); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

// TestRaiseFillsIn: a lookup that was read by name alone gets its list, and a set
// that no rule looks up any more goes.
func TestRaiseFillsIn(t *testing.T) {
	p := Lower(table(in(ports(80, 90), false), in(ports(1, 5), false)))
	r := p.Tables[0].Chains[0].Rules
	r[0].Exprs[1] = program.Lookup{Name: "ports_80-90", Reg: 1}
	p.Tables[0].Chains[0].Rules = r[:1]
	if d := cmp.Diff(table(in(ports(80, 90), false)), Raise(p)); d != "" {
		t.Error(d)
	}
}

// TestNoList: what is no list of ranges is left to the host to refuse.
func TestNoList(t *testing.T) {
	for _, c := range []program.ConstSet{
		{Type: program.TypeService, Len: 2, Interval: true, Elems: "\x00\x19"},
		{Type: program.TypeService, Len: 2, Interval: true, Elems: "\x00\x19\x00\x10"},
		{Type: program.TypeService, Interval: true, Elems: "\x00\x19\x00\x20"},
		ports(80, 90, 10, 20),
	} {
		p := table(in(c, false))
		if d := cmp.Diff(p, Lower(p)); d != "" {
			t.Errorf("%v:\n%s", c, d)
		}
	}
}

func lists() *rapid.Generator[program.ConstSet] {
	return rapid.Custom(func(t *rapid.T) program.ConstSet {
		shape := rapid.SampledFrom([]program.ConstSet{
			{Type: program.TypeService, Len: 2}, {Type: program.TypeIPv4, Len: 4}, {Type: program.TypeProto, Len: 1},
			{Type: program.TypeMark, Len: 4, Host: true}, {Type: program.TypeIPv6, Len: 16}, {Type: 99, Len: 3},
		}).Draw(t, "shape")
		top := uint64(1)<<(8*min(shape.Len, 4)) - 1
		var bounds []uint64
		next := uint64(0)
		for range rapid.IntRange(1, 6).Draw(t, "ranges") {
			if next > top {
				break
			}
			lo := rapid.Uint64Range(next, min(top, next+300)).Draw(t, "lo")
			hi := rapid.OneOf(rapid.Just(lo), rapid.Just(top), rapid.Uint64Range(lo, min(top, lo+300))).Draw(t, "hi")
			bounds = append(bounds, lo, hi)
			next = hi + 1
		}
		return list(shape.Type, int(shape.Len), shape.Host, bounds...)
	})
}

func TestLowerAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rules []*program.Rule
		for _, c := range rapid.SliceOfN(lists(), 0, 8).Draw(t, "lists") {
			rules = append(rules, in(c, rapid.Bool().Draw(t, "not")))
		}
		p := table(rules...)
		low := Lower(p)
		names := map[string]bool{}
		for _, s := range low.Tables[0].Sets {
			if names[s.Name] || len(s.Name) > maxName {
				t.Fatalf("set %q twice, or too long", s.Name)
			}
			names[s.Name] = true
		}
		if d := cmp.Diff(p, Raise(low)); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(low, Lower(low)); d != "" {
			t.Fatalf("lowered twice:\n%s", d)
		}
	})
}
