package deltatest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// names are what chains may be called: base chains, and user chains that jump to
// later ones only.
var (
	bases = []string{"INPUT", "OUTPUT"}
	users = []string{"a", "b", "c"}
)

// verdictData is NFT_DATA_VERDICT.
const verdictData = 0xffffff00

// next is a program of one or two tables, like the one before in most things.
func next(t *rapid.T, before *program.Program) *program.Program {
	p := &program.Program{}
	for _, f := range []program.Family{program.IP, program.IP6} {
		var old *program.Table
		if before != nil {
			old = before.Table(f, "t")
		}
		if f == program.IP6 && rapid.IntRange(0, 2).Draw(t, "second table") > 0 {
			continue
		}
		p.Tables = append(p.Tables, drawTable(t, f, old))
	}
	return p
}

func drawTable(t *rapid.T, f program.Family, old *program.Table) *program.Table {
	out := &program.Table{Family: f, Name: "t"}
	there := slices.Clone(users)
	for i := len(there) - 1; i >= 0; i-- {
		if rapid.IntRange(0, 4).Draw(t, "without "+there[i]) == 0 {
			there = slices.Delete(there, i, i+1)
		}
	}
	drawSets(t, out, there)
	for i, name := range bases {
		if rapid.IntRange(0, 5).Draw(t, "without "+name) == 0 {
			continue
		}
		out.Chains = append(out.Chains, drawChain(t, out, old, &program.Chain{
			Name: name, Base: true, Counted: rapid.Bool().Draw(t, "counted"),
			Policy: rapid.SampledFrom([]program.VerdictKind{program.NFAccept, program.NFDrop}).Draw(t, "policy"),
			Hook:   program.Hook{Type: "filter", Num: uint32(1 + 2*i), Priority: int32(rapid.IntRange(0, 8).Draw(t, "priority") / 8)},
		}, there))
	}
	for i, name := range there {
		c := &program.Chain{Name: name}
		if rapid.IntRange(0, 8).Draw(t, "true name") == 0 {
			c.UserData = "\x00\x0bname " + name + "%3Ax\x00"
		}
		out.Chains = append(out.Chains, drawChain(t, out, old, c, there[i+1:]))
	}
	if old != nil {
		for _, c := range out.Chains {
			if o := old.Chain(c.Name); o != nil && o.Counted {
				c.Counted = true // it cannot be switched off
			}
		}
	}
	return out
}

// drawSets are a set of ports and a map of marks to verdicts.
func drawSets(t *rapid.T, out *program.Table, there []string) {
	ports := &program.Set{Name: "ports", KeyType: uint32(program.TypeService), KeyLen: 2, Size: 64}
	for _, p := range rapid.SliceOfNDistinct(rapid.Uint16Range(1, 9), 0, 5, rapid.ID).Draw(t, "ports") {
		ports.Elements = append(ports.Elements, program.Element{Key: program.Net16(p).Data})
	}
	ranges := &program.Set{Name: "ranges", KeyType: uint32(program.TypeService), KeyLen: 2, Flags: program.SetInterval}
	for lo := range uint16(4) {
		if hi := rapid.Uint16Range(0, 9).Draw(t, "range"); hi > 0 {
			ranges.Elements = append(ranges.Elements,
				program.Element{Key: program.Net16(10*lo + 1).Data},
				program.Element{Key: program.Net16(10*lo + 1 + hi).Data, End: true})
		}
	}
	marks := &program.Set{Name: "marks", KeyType: uint32(program.TypeMark), KeyLen: 4, Size: 64, Host: true,
		Flags: program.SetMap, DataType: verdictData}
	for _, m := range rapid.SliceOfNDistinct(rapid.Uint32Range(1, 5), 0, 4, rapid.ID).Draw(t, "marks") {
		v := program.Verdict{Kind: program.NFAccept}
		if i := rapid.IntRange(0, len(there)).Draw(t, "to"); i < len(there) && there[i] == "c" {
			v = program.Verdict{Kind: program.NFTJump, Chain: "c"}
		}
		marks.Elements = append(marks.Elements, program.Element{Key: program.Host32(m).Data, Verdict: v})
	}
	for _, s := range []*program.Set{ports, ranges, marks} {
		if rapid.IntRange(0, 3).Draw(t, "without "+s.Name) > 0 {
			out.Sets = append(out.Sets, s)
		}
	}
}

// drawChain fills a chain: with the rules that it had, edited, where they still
// can be, else with new ones.
func drawChain(t *rapid.T, in, old *program.Table, c *program.Chain, below []string) *program.Chain {
	if old != nil && old.Chain(c.Name) != nil {
		for _, r := range old.Chain(c.Name).Rules {
			if possible(in, r, below) {
				kept := *r
				kept.Fresh = false
				c.Rules = append(c.Rules, &kept)
			}
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		n := len(c.Rules)
		at := rapid.IntRange(0, n).Draw(t, "at")
		switch edit := rapid.IntRange(0, 9).Draw(t, "edit"); {
		case edit < 5 || n == 0 || at == n:
			for range rapid.IntRange(1, 6).Draw(t, "rules") {
				c.Rules = slices.Insert(c.Rules, at, drawRule(t, in, below, c.Name))
			}
		case edit == 5:
			c.Rules = slices.Delete(c.Rules, at, min(n, at+rapid.IntRange(1, 8).Draw(t, "gone")))
		case edit == 6:
			r := c.Rules[at]
			c.Rules = slices.Delete(c.Rules, at, at+1)
			c.Rules = slices.Insert(c.Rules, rapid.IntRange(0, n-1).Draw(t, "moved to"), r)
		case edit == 7:
			c.Rules[at].UserData = rapid.SampledFrom([]string{"", "\x00\x03ab\x00", "\x00\x03cd\x00"}).Draw(t, "comment")
		case edit == 8:
			*c.Rules[at] = *c.Rules[at].WithCounts(program.Counter{Packets: 5})
			c.Rules[at].Fresh = true
		default:
			c.Rules = nil
		}
	}
	return c
}

// possible says whether a rule's chains and sets are there.
func possible(in *program.Table, r *program.Rule, below []string) bool {
	for name := range r.Jumps {
		if !slices.Contains(below, name) {
			return false
		}
	}
	for _, e := range r.Exprs {
		if l, ok := e.(program.Lookup); ok && l.Name != "" && in.Set(l.Name) == nil {
			return false
		}
	}
	return true
}

// drawRule is a rule of a chain that may jump to those below.
func drawRule(t *rapid.T, in *program.Table, below []string, chain string) *program.Rule {
	r := &program.Rule{}
	port := program.Payload{Base: program.Transport, Offset: 2, Len: 2, Reg: 1}
	list := program.ConstSet{Type: program.TypeService, Len: 2, Elems: "\x00\x01\x00\x05"}
	switch k := rapid.IntRange(0, 7).Draw(t, "match"); {
	case k == 0 && in.Set("ports") != nil:
		r.Exprs = []program.Expr{port, program.Lookup{Name: "ports", Reg: 1}}
	case k == 1 && in.Set("ranges") != nil:
		r.Exprs = []program.Expr{port, program.Lookup{Name: "ranges", Reg: 1}}
	case k == 2 && in.Set("marks") != nil && chain != "c":
		r.Exprs = []program.Expr{program.Meta{Key: program.MetaMark, Reg: 1}, program.Counter{},
			program.Lookup{Name: "marks", Reg: 1, Map: true}}
		return r
	case k == 3:
		r.Exprs = []program.Expr{port, program.Lookup{Const: list, Reg: 1}}
	case k == 4:
		list.Interval = true
		list.Elems += string([]byte{0, 7, 0, byte(7 + rapid.IntRange(0, 2).Draw(t, "last"))})
		r.Exprs = []program.Expr{port, program.Lookup{Const: list, Reg: 1}}
	default:
		m := program.Host32(uint32(rapid.IntRange(0, 5).Draw(t, "mark")))
		r.Exprs = []program.Expr{program.Meta{Key: program.MetaMark, Reg: 1}, program.Cmp{Reg: 1, Value: m}}
	}
	r.Exprs = append(r.Exprs, program.Counter{Packets: uint64(rapid.IntRange(0, 1<<30).Draw(t, "packets"))})
	v := program.Verdict{Kind: rapid.SampledFrom([]program.VerdictKind{
		program.NFAccept, program.NFDrop, program.NFTReturn, program.NFTContinue}).Draw(t, "verdict")}
	if i := rapid.IntRange(0, 2*len(below)).Draw(t, "jump"); i < len(below) {
		v = program.Verdict{Kind: program.NFTJump, Chain: below[i]}
	}
	if v.Kind != program.NFTContinue {
		r.Exprs = append(r.Exprs, v)
	}
	r.Line = rapid.IntRange(1, 99).Draw(t, "line")
	return r
}
