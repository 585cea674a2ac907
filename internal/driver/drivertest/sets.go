package drivertest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// The sets of the suite.
var (
	ports = program.Set{
		Name: "ports", KeyType: uint32(program.TypeService), KeyLen: 2, Size: 64,
	}
	marks = program.Set{
		Name: "marks", KeyType: uint32(program.TypeMark), KeyLen: 4, Size: 64, Host: true, UserData: "\x80\x01u",
	}
	ranges = program.Set{
		Name: "ranges", KeyType: uint32(program.TypeService), KeyLen: 2,
		Flags: program.SetInterval | program.SetConstant,
	}
	services = program.Set{
		Name: "services", KeyType: uint32(program.TypeService), KeyLen: 2, Size: 64,
		Flags: program.SetMap, DataType: 0xffffff00,
	}
)

func exactly(port uint16) program.Element { return program.Element{Key: program.Net16(port).Data} }

// between is a range as an interval set holds it.
func between(first, last uint16) []program.Element {
	end := exactly(last + 1)
	end.End = true
	return []program.Element{exactly(first), end}
}

func leads(port uint16, v program.Verdict) program.Element {
	e := exactly(port)
	e.Verdict = v
	return e
}

// keys are those of a set's elements, ascending, in hexadecimal.
func keys(s *program.Set) string {
	var out []string
	for _, e := range s.Elements {
		k := program.Value{Data: e.Key}.String()
		if e.End {
			k += "."
		}
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// readSet reads a set of a table, which must be there.
func (h *host) readSet(r room, name string) *program.Set {
	h.Helper()
	if t := h.read().Program.Table(r.Family, r.Name); t != nil && t.Set(name) != nil {
		return t.Set(name)
	}
	h.Fatalf("no set %s", name)
	return nil
}

func testSets(t *testing.T, h *host) {
	r := suite()
	mark := program.Element{Key: program.Host32(0x10).Data, UserData: "\x00\x02c\x00"}
	h.commit(r.add(), r.set(driver.AddSet, &ports), r.set(driver.AddSet, &marks),
		r.elements(driver.AddElements, "ports", exactly(25), exactly(80)),
		r.elements(driver.AddElements, "marks", mark))

	for _, want := range []program.Set{ports, marks} {
		got := *h.readSet(r, want.Name)
		if got.Handle == 0 {
			t.Errorf("%s has no handle", got.Name)
		}
		if got.KeyType != want.KeyType || got.KeyLen != want.KeyLen || got.Size != want.Size ||
			got.Flags != want.Flags || got.Host != want.Host || got.UserData != want.UserData {
			t.Errorf("set reads %+v, want %+v", got, want)
		}
	}
	if e := h.readSet(r, "marks").Elements; len(e) != 1 || e[0] != mark {
		t.Errorf("elements %+v, want %+v", e, mark)
	}

	h.refuseFirst(0, fs.ErrExist, r.set(driver.AddSet, &ports))
	h.refuseFirst(0, fs.ErrNotExist, r.elements(driver.DeleteElements, "ports", exactly(25), exactly(81)))
	h.commit(r.elements(driver.AddElements, "ports", exactly(25), exactly(443))) // one is there
	h.commit(r.elements(driver.DeleteElements, "ports", exactly(80)))
	if got := keys(h.readSet(r, "ports")); got != "0019 01bb" {
		t.Errorf("elements %q, want 25 and 443", got)
	}

	small := like(ports)
	small.Name, small.Size = "small", 2
	h.refuseFirst(2, full, r.set(driver.AddSet, small),
		r.elements(driver.AddElements, "small", exactly(1), exactly(2)),
		r.elements(driver.AddElements, "small", exactly(3)))

	inPorts := program.Lookup{Name: "ports", Reg: 1}
	h.commit(ops(r.user("c"), r.append("c", loadDport, inPorts))...)
	if got := h.chain(r, "c").Rules[0].Exprs[1]; got != inPorts {
		t.Errorf("lookup reads %v, want %v", got, inPorts)
	}
	h.refuseFirst(0, busy, r.set(driver.DeleteSet, &ports))
	h.commit(r.elements(driver.AddElements, "ports", exactly(22))) // though a rule refers to it
	h.commit(r.flush("c"), r.set(driver.DeleteSet, &ports), r.set(driver.DeleteSet, &marks))
	if got := h.read().Program.Table(r.Family, r.Name).Sets; len(got) != 0 {
		t.Errorf("%d sets are left", len(got))
	}
}

var loadDport program.Expr = program.Payload{Base: program.Transport, Offset: 2, Len: 2, Reg: 1}

// testConstantSets: what a rule says of its ports by value comes back so, be the
// set the rule's own or, as for ranges it must be, one with a name.
func testConstantSets(t *testing.T, h *host) {
	r := suite()
	text := func(ports ...uint16) string {
		var b strings.Builder
		for _, p := range ports {
			b.WriteString(program.Net16(p).Data)
		}
		return b.String()
	}
	ofRanges := program.ConstSet{
		Type: program.TypeService, Len: 2, Interval: true, Elems: text(20, 25, 80, 80, 0xff00, 0xffff),
	}
	lookup := program.Lookup{Name: "ranges", Const: ofRanges, Reg: 1}
	h.commit(ops(r.add(), r.user("c"), r.set(driver.AddSet, &ranges), r.elements(driver.AddElements, "ranges",
		slices.Concat(between(20, 25), between(80, 80), []program.Element{exactly(0xff00)})...))...)
	h.commit(r.append("c", loadDport, lookup), r.append("c", loadDport, inverted(lookup)))

	if got := keys(h.readSet(r, "ranges")); got != "0014 001a. 0050 0051. ff00" {
		t.Errorf("elements %q", got)
	}
	for i, want := range []program.Lookup{lookup, inverted(lookup)} {
		if got := h.chain(r, "c").Rules[i].Exprs[1]; got != want {
			t.Errorf("lookup reads %v, want %v", got, want)
		}
	}
	h.refuseFirst(0, busy, r.elements(driver.AddElements, "ranges", between(22, 22)...))
	h.refuseFirst(0, busy, r.elements(driver.DeleteElements, "ranges", between(80, 80)...))
	h.refuseFirst(1, busy, r.flush("c"), r.elements(driver.DeleteElements, "ranges", between(80, 80)...))

	own := program.Lookup{Const: program.ConstSet{Type: program.TypeService, Len: 2, Elems: text(25, 80)}, Reg: 1}
	h.commit(r.flush("c"), r.append("c", loadDport, own), r.append("c", loadDport, inverted(own), loadDport, own))
	c := h.chain(r, "c")
	if got := c.Rules[0].Exprs[1]; got != own {
		t.Errorf("lookup reads %v, want %v", got, own)
	}
	if got := c.Rules[1].Exprs; got[1] != inverted(own) || got[3] != own {
		t.Errorf("two of one rule read %v", got)
	}
	h.commit(r.flush("c"), r.set(driver.DeleteSet, &ranges))
	if got := h.read().Program.Table(r.Family, r.Name).Sets; len(got) != 0 {
		t.Errorf("sets %+v, want none: a rule's own go with it", got)
	}
}

func inverted(l program.Lookup) program.Lookup {
	l.Not = true
	return l
}

func testVerdictMaps(t *testing.T, h *host) {
	r := suite()
	drop := program.Verdict{Kind: program.NFDrop}
	toWeb := program.Verdict{Kind: program.NFTJump, Chain: "web"}
	vmap := program.Lookup{Name: "services", Reg: 1, Map: true}
	h.commit(ops(r.add(), r.base("in", 1), r.user("web", "mail"), r.set(driver.AddSet, &services),
		r.elements(driver.AddElements, "services", leads(23, drop), leads(80, toWeb)),
		r.append("in", loadDport, vmap))...)

	got := h.readSet(r, "services")
	if got.Flags != services.Flags || got.DataType != services.DataType || keys(got) != "0017 0050" {
		t.Errorf("map reads %+v", got)
	}
	for _, e := range got.Elements {
		if want := map[string]program.Verdict{exactly(23).Key: drop, exactly(80).Key: toWeb}[e.Key]; e.Verdict != want {
			t.Errorf("element reads %v, want %v", e.Verdict, want)
		}
	}
	if e := h.chain(r, "in").Rules[0].Exprs[1]; e != vmap {
		t.Errorf("lookup reads %v, want %v", e, vmap)
	}

	toMissing := program.Verdict{Kind: program.NFTGoto, Chain: "missing"}
	h.refuseFirst(0, fs.ErrNotExist, r.elements(driver.AddElements, "services", leads(25, toMissing)))
	h.refuseFirst(0, fs.ErrExist, r.elements(driver.AddElements, "services", leads(23, toWeb)))
	h.refuseFirst(0, busy, r.deleteChain("web"))
	h.refuseFirst(1, tooDeep, r.append("mail", jump("web")), r.append("web", jump("mail")))
	h.commit(r.append("web", jump("mail")))
	if err := h.refuse(r.append("mail", loadDport, vmap)); !errors.Is(err, tooDeep) {
		t.Errorf("a loop through a map: %v", err)
	}

	h.commit(r.rename(h.chain(r, "web").Handle, "web", "www"))
	for _, e := range h.readSet(r, "services").Elements {
		if e.Key == exactly(80).Key && e.Verdict.Chain != "www" {
			t.Errorf("the chain was renamed, its element says %v", e.Verdict)
		}
	}
	h.commit(r.elements(driver.DeleteElements, "services", leads(80, program.Verdict{})),
		r.deleteRule("www", h.chain(r, "www").Rules[0].Handle), r.deleteChain("www"))

	// A map that goes lets go of the chains that its elements name.
	h.commit(r.elements(driver.AddElements, "services", leads(25, program.Verdict{Kind: program.NFTJump, Chain: "mail"})))
	h.refuseFirst(0, busy, r.deleteChain("mail"))
	h.commit(r.flush("in"), r.set(driver.DeleteSet, &services), r.deleteChain("mail"))
}
