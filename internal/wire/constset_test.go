package wire

import (
	"slices"
	"strings"
	"testing"

	p "github.com/gatehouse-fw/gatehouse/internal/program"
	"pgregory.net/rapid"
)

// The elements are those that nft 1.0.6 sends for the same set
// (nft --debug=mnl), with the size that they have.
func TestElementsOfConstants(t *testing.T) {
	ports := func(keys ...string) p.ConstSet {
		return p.ConstSet{Type: p.TypeService, Len: 2, Interval: true, Elems: strings.Join(keys, "")}
	}
	start := func(k string) p.Element { return p.Element{Key: k} }
	end := func(k string) p.Element { return p.Element{Key: k, End: true} }
	open := func(k string) p.Element { return p.Element{Key: k, UserData: openEnd} }
	for _, tc := range []struct {
		name string
		set  p.ConstSet
		want []p.Element
	}{
		{"25, 80", p.ConstSet{Type: p.TypeService, Len: 2, Elems: "\x00\x19\x00\x50"}, []p.Element{start("\x00\x19"), start("\x00\x50")}},
		{"0-10, 25, 80-90, 65000-65535",
			ports("\x00\x00", "\x00\x0a", "\x00\x19", "\x00\x19", "\x00\x50", "\x00\x5a", "\xfd\xe8", "\xff\xff"),
			[]p.Element{start("\x00\x00"), end("\x00\x0b"), start("\x00\x19"), end("\x00\x1a"),
				start("\x00\x50"), end("\x00\x5b"), open("\xfd\xe8")}},
		{"5-7, 9", p.ConstSet{Type: p.TypeMark, Len: 4, Host: true, Interval: true,
			Elems: "\x00\x00\x00\x05\x00\x00\x00\x07\x00\x00\x00\x09\x00\x00\x00\x09"},
			[]p.Element{end("\x00\x00\x00\x00"), start("\x00\x00\x00\x05"), end("\x00\x00\x00\x08"),
				start("\x00\x00\x00\x09"), end("\x00\x00\x00\x0a")}},
		{"255-256", ports("\x00\xff", "\x01\x00"), []p.Element{end("\x00\x00"), start("\x00\xff"), end("\x01\x01")}},
		{"all ports", ports("\x00\x00", "\xff\xff"), []p.Element{open("\x00\x00")}},
		{"neighbours", ports("\x00\x05", "\x00\x06", "\x00\x07", "\x00\x08"),
			[]p.Element{end("\x00\x00"), start("\x00\x05"), end("\x00\x07"), start("\x00\x07"), end("\x00\x09")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := SetOf("", tc.set)
			if !slices.Equal(s.Elements, tc.want) {
				t.Errorf("elements %+v, want %+v", s.Elements, tc.want)
			}
			if s.Size != uint32(len(tc.want)) {
				t.Errorf("size %d, want %d", s.Size, len(tc.want))
			}
			if back, ok := ConstOf(s); !ok || back != tc.set {
				t.Errorf("back it is %v, %t", back, ok)
			}
		})
	}
}

func TestNotesOfConstants(t *testing.T) {
	s := SetOf("", p.ConstSet{Type: p.TypeMark, Len: 4, Host: true, Elems: "\x00\x00\x00\x05"})
	if want := "\x00\x04" + native(1); s.UserData != want { // NFTNL_UDATA_SET_KEYBYTEORDER, BYTEORDER_HOST_ENDIAN
		t.Errorf("userdata % x, want % x", s.UserData, want)
	}
	if s.Flags != p.SetAnonymous|p.SetConstant || s.KeyType != 19 || s.KeyLen != 4 {
		t.Errorf("set %+v", s)
	}
	s = SetOf("ports", p.ConstSet{Type: p.TypeService, Len: 2, Interval: true, Elems: "\x00\x05\x00\x06"})
	if want := "\x00\x04" + native(2) + "\x02\x04" + native(0); s.UserData != want { // big endian, MERGE_ELEMENTS
		t.Errorf("userdata % x, want % x", s.UserData, want)
	}
	if s.Flags != p.SetConstant|p.SetInterval || s.Name != "ports" {
		t.Errorf("set %+v", s)
	}
}

func native(n uint32) string { return note(0, n)[2:] }

func TestNoConstant(t *testing.T) {
	good := func() *p.Set {
		return SetOf("", p.ConstSet{Type: p.TypeService, Len: 2, Elems: "\x00\x19\x00\x50"})
	}
	ranges := func(e ...p.Element) *p.Set {
		s := SetOf("", p.ConstSet{Type: p.TypeService, Len: 2, Interval: true})
		s.Elements = e
		return s
	}
	if _, ok := ConstOf(good()); !ok {
		t.Fatal("the good one is none")
	}
	for name, s := range map[string]func() *p.Set{
		"not constant":       func() *p.Set { s := good(); s.Flags = 0; return s },
		"a map":              func() *p.Set { s := good(); s.Flags |= p.SetMap; return s },
		"concatenated":       func() *p.Set { s := good(); s.Flags |= p.SetConcat; return s },
		"timeouts":           func() *p.Set { s := good(); s.Timeout = 5; return s },
		"more attributes":    func() *p.Set { s := good(); s.Raw = "x"; return s },
		"a comment":          func() *p.Set { s := good(); s.UserData += "\x07\x02c\x00"; return s },
		"broken userdata":    func() *p.Set { s := good(); s.UserData += "\x02"; return s },
		"an element comment": func() *p.Set { s := good(); s.Elements[0].UserData = "\x00\x02c\x00"; return s },
		"an element counter": func() *p.Set { s := good(); s.Elements[0].Exprs = "x"; return s },
		"catch-all":          func() *p.Set { s := good(); s.Elements[0].CatchAll = true; return s },
		"key length":         func() *p.Set { s := good(); s.Elements[0].Key = "\x01"; return s },
		"two starts":         func() *p.Set { return ranges(p.Element{Key: "\x00\x01"}, p.Element{Key: "\x00\x02"}) },
		"an end too many": func() *p.Set {
			return ranges(p.Element{Key: "\x00\x01"}, p.Element{Key: "\x00\x02", End: true}, p.Element{Key: "\x00\x03", End: true})
		},
		"an end at first": func() *p.Set { return ranges(p.Element{Key: "\x00\x01", End: true}) },
	} {
		if c, ok := ConstOf(s()); ok {
			t.Errorf("%s: it is %v", name, c)
		}
	}
}

// Constants come back whatever the order in which the kernel lists elements.
func TestConstantsDownAndUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "len")
		keys := rapid.SliceOfNDistinct(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 127, 128, 254, 255}), n, n), 0, 12,
			func(b []byte) string { return string(b) }).Draw(t, "keys")
		var list []string
		for _, k := range keys {
			list = append(list, string(k))
		}
		slices.Sort(list)
		c := p.ConstSet{Type: p.TypeService, Len: uint32(n), Interval: rapid.Bool().Draw(t, "interval")}
		if c.Interval {
			list = list[:len(list)&^1]
		}
		c.Elems = strings.Join(list, "")
		s := SetOf("s", c)
		s.Elements = rapid.Permutation(s.Elements).Draw(t, "order")
		if got, ok := ConstOf(s); !ok || got != c {
			t.Fatalf("%v came back as %v, %t", c, got, ok)
		}
	})
}

func TestInline(t *testing.T) {
	ports := p.ConstSet{Type: p.TypeService, Len: 2, Elems: "\x00\x19\x00\x50"}
	marks := p.ConstSet{Type: p.TypeInteger, Len: 4, Host: true, Elems: "\x00\x00\x00\x05\x00\x00\x00\x07"}
	own := SetOf("", ports)
	own.Name = "__set0"
	named := SetOf("named", ports)
	// Somebody's numbers without a note of their order, as bytes.
	bare := SetOf("", marks)
	bare.Name, bare.UserData, bare.Host = "__set1", "", false
	for i := range bare.Elements {
		bare.Elements[i].Key = swapped(bare.Elements[i].Key)
	}
	odd := SetOf("", ports)
	odd.Name, odd.Timeout = "__set2", 9
	sets := map[string]*p.Set{"__set0": own, "__set1": bare, "__set2": odd, "named": named}

	exprs := []p.Expr{
		p.Payload{Base: p.Transport, Offset: 2, Len: 2, Reg: 1}, p.Lookup{Name: "__set0", Reg: 1},
		p.Meta{Key: p.MetaLen, Reg: 1}, p.Lookup{Name: "__set1", Reg: 1, Not: true},
		p.Payload{Base: p.Transport, Offset: 2, Len: 2, Reg: 1}, p.Lookup{Name: "__set2", Reg: 1},
		p.Lookup{Name: "named", Reg: 1}, p.Lookup{Name: "other", Reg: 1},
	}
	want := slices.Clone(exprs)
	want[1] = p.Lookup{Const: ports, Reg: 1}
	want[3] = p.Lookup{Const: marks, Reg: 1, Not: true}
	want[6] = p.Lookup{Name: "named", Const: ports, Reg: 1}
	Inline(exprs, sets)
	if !slices.Equal(exprs, want) {
		t.Errorf("got\n%swant\n%s", p.Dump(exprs), p.Dump(want))
	}
	if len(sets) != 2 || sets["__set2"] == nil || sets["named"] == nil {
		t.Errorf("left are %v", sets)
	}
}
