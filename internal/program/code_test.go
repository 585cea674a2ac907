package program

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestCompare: what is added is what was read where it is the same up to what the
// kernel keeps, in the same order, and all of it.
func TestCompare(t *testing.T) {
	port, other := IsValue(Payload{Base: Transport, Offset: 2, Len: 2}, false, Net16(22)), IsValue(Meta{Key: MetaL4Proto}, false, Host8(6))
	exprs := slices.Concat(other.exprs(), port.exprs(), []Expr{Counter{Packets: 5, Bytes: 9}, NAT{Dest: true, AddrMin: 1, AddrMax: 1}})
	for name, c := range map[string]struct {
		add  func(c *Code)
		want bool
	}{
		"all":         {func(c *Code) { c.Test(other, port); c.Add(Counter{}, NAT{Dest: true, AddrMin: 1}) }, true},
		"one by one":  {func(c *Code) { c.Test(other); c.Test(port); c.Add(Counter{}); c.Add(NAT{Dest: true, AddrMin: 1}) }, true},
		"less":        {func(c *Code) { c.Test(other, port); c.Add(Counter{}) }, false},
		"more":        {func(c *Code) { c.Test(other, port); c.Add(Counter{}, NAT{Dest: true, AddrMin: 1}, Notrack{}) }, false},
		"other order": {func(c *Code) { c.Test(port, other); c.Add(Counter{}, NAT{Dest: true, AddrMin: 1}) }, false},
		"other value": {func(c *Code) { c.Test(other, other); c.Add(Counter{}, NAT{Dest: true, AddrMin: 1}) }, false},
		"other port": {func(c *Code) {
			c.Test(other, IsValue(port.Load, false, Net16(23)))
			c.Add(Counter{}, NAT{Dest: true, AddrMin: 1})
		}, false},
		"other register": {func(c *Code) { c.Test(other, port); c.Add(Counter{}, NAT{Dest: true, AddrMin: 2}) }, false},
		"a test later":   {func(c *Code) { c.Test(other, port); c.Add(Counter{}); c.Test(port) }, false},
		"after a miss":   {func(c *Code) { c.Test(port, other, port); c.Add(Counter{}, NAT{Dest: true, AddrMin: 1}) }, false},
		"nothing":        {func(*Code) {}, false},
	} {
		var code Code
		code.Compare(NewReader(exprs, Env{}, nil), Env{})
		c.add(&code)
		if code.AsRead() != c.want {
			t.Errorf("%s: %v", name, code.AsRead())
		}
		if len(code.Exprs()) > 0 {
			t.Errorf("%s: kept %v", name, code.Exprs())
		}
	}
}

// TestCompareIsSame: what compares well makes a rule that is the Same.
func TestCompareIsSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exprs := drawn().Draw(t, "read")
		added := slices.Clone(exprs)
		if len(added) > 0 && rapid.Bool().Draw(t, "change") {
			i := rapid.IntRange(0, len(added)-1).Draw(t, "at")
			if e, ok := added[i].(Cmp); ok {
				added[i] = Cmp{e.Op, e.Reg, value().Draw(t, "value")}
			} else {
				added[i] = part().Draw(t, "to")
			}
		}
		var made, compared Code
		compared.Compare(NewReader(exprs, Env{}, nil), Env{})
		for r := NewReader(added, Env{}, nil); r.Left() > 0; r.Take(1) {
			if test, ok := r.Test(0); ok {
				made.Test(test)
				compared.Test(test)
				continue
			}
			made.Add(r.Item(0))
			compared.Add(r.Item(0))
		}
		same := (&Rule{Exprs: made.Exprs()}).Same(&Rule{Exprs: exprs})
		if compared.AsRead() != same {
			t.Fatalf("compared %v, same %v:\n%sand\n%s", compared.AsRead(), same, Dump(exprs), Dump(added))
		}
	})
}

// TestCodeReset: nothing of one rule is left in the next.
func TestCodeReset(t *testing.T) {
	var c Code
	c.At = 3
	c.Add(Notrack{})
	c.Is("x")
	c.Comment("y")
	c.List("z")
	if want := []Note{{3, NoteIs, "x"}, {3, NoteComment, "y"}, {3, NoteList, "z"}}; !slices.Equal(c.Notes(), want) {
		t.Errorf("notes %v, want %v", c.Notes(), want)
	}
	c.Compare(NewReader(nil, Env{}, nil), Env{Family: IP6})
	c.Reset(Env{Family: IP})
	c.Add(Counter{})
	if c.At != 0 || c.Env.Family != IP || len(c.Notes()) != 0 || !slices.Equal(c.Exprs(), []Expr{Counter{}}) {
		t.Errorf("%+v", c)
	}
}

// What differs before something is tried is not forgotten by trying.
func TestCodeTryKeepsWhatDiffers(t *testing.T) {
	add := func(c *Code, e Expr) func() error {
		return func() error { c.Add(e); return nil }
	}
	var c Code
	c.Compare(NewReader([]Expr{Notrack{}}, Env{}, nil), Env{})
	if c.Try(add(&c, Masq{})) || !c.Try(add(&c, Notrack{})) || !c.AsRead() {
		t.Error("one of two forms was not found")
	}
	c.Compare(NewReader([]Expr{Notrack{}}, Env{}, nil), Env{})
	c.Test(IsValue(Meta{Key: MetaL4Proto}, false, Bytes(6)))
	if c.Try(add(&c, Notrack{})) || c.AsRead() {
		t.Error("a comparison that the program has not was forgotten")
	}
}
