package delta

import (
	"errors"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
)

// elementsEach is how many elements one operation adds.
const elementsEach = 1024

// diffSets adds, fills and deletes sets. It comes after the chains that maps
// lead to and before the rules that look sets up.
func (s *steps) diffSets() {
	wanted := map[string]bool{}
	have := make(map[string]*program.Set, len(s.have.Sets))
	for _, old := range s.have.Sets {
		have[old.Name] = old
	}
	for _, w := range s.table.Sets {
		if w.Flags&program.SetAnonymous != 0 {
			continue
		}
		wanted[w.Name] = true
		old := have[w.Name]
		switch {
		case old == nil:
			s.addSet(w)
		case !sameKind(old, w):
			s.remake(old, w)
		case w.Keep || old.Unread || w == old:
		case w.Flags&program.SetConstant == 0:
			s.diffElements(old, w)
		case !sameConst(old, w):
			s.remake(old, w)
		}
	}
	for _, old := range s.have.Sets {
		if !wanted[old.Name] && !s.pinned[old.Name] && old.Flags&program.SetAnonymous == 0 {
			s.sweep = append(s.sweep, driver.Op{Kind: driver.DeleteSet, Table: s.table, Set: old})
		}
	}
}

func (s *steps) addSet(w *program.Set) {
	s.stage = append(s.stage, driver.Op{Kind: driver.AddSet, Table: s.table, Set: w})
	s.stage = s.elements(s.stage, driver.AddElements, w, w.Elements)
}

// elements splits what is done to elements into operations that fit a batch. A
// range's two elements stay together.
func (s *steps) elements(ops []driver.Op, kind driver.OpKind, set *program.Set, list []program.Element) []driver.Op {
	for len(list) > 0 {
		n := min(len(list), elementsEach)
		for n < len(list) && list[n].End {
			n++
		}
		part := *set
		part.Elements = list[:n:n]
		ops = append(ops, driver.Op{Kind: kind, Table: s.table, Set: &part})
		list = list[n:]
	}
	return ops
}

// remake makes a set anew that cannot become the wanted one, which can be done
// only while nothing looks it up.
func (s *steps) remake(old, w *program.Set) {
	for _, c := range s.have.Chains {
		for _, r := range c.Rules {
			for _, e := range r.Exprs {
				if l, ok := e.(program.Lookup); ok && l.Name == old.Name {
					s.err = errors.Join(s.err, &SetError{s.table.Family, s.table.Name, old.Name})
					return
				}
			}
		}
	}
	s.first = append(s.first, driver.Op{Kind: driver.DeleteSet, Table: s.table, Set: old})
	s.addSet(w)
}

// sameKind says whether two sets differ in their elements at most. Sizes are not
// looked at, since a set may have grown, nor what only says how to print them.
func sameKind(a, b *program.Set) bool {
	return a.Flags == b.Flags && a.KeyType == b.KeyType && a.KeyLen == b.KeyLen &&
		a.DataType == b.DataType && a.Timeout == b.Timeout && a.Counted == b.Counted && a.Fields == b.Fields
}

// sameConst says whether two constant sets have the same elements.
func sameConst(a, b *program.Set) bool {
	x, okX := wire.ConstOf(a)
	y, okY := wire.ConstOf(b)
	if okX && okY {
		return x == y
	}
	add, gone := changed(a, b)
	return len(add)+len(gone) == 0
}

// diffElements turns a set's elements into the wanted ones.
func (s *steps) diffElements(old, w *program.Set) {
	if w.Flags&program.SetEval != 0 {
		return // packets fill it
	}
	if w.Flags&program.SetMap == 0 {
		s.fill(old, w)
		return
	}
	add, gone := changed(old, w)
	var replaced, swept []program.Element
	again := map[string]bool{}
	for _, u := range add {
		again[u.key] = true
	}
	for _, u := range gone {
		if again[u.key] {
			replaced = append(replaced, u.elements...)
			continue
		}
		swept = append(swept, u.elements...)
	}
	var added []program.Element
	for _, u := range add {
		added = append(added, u.elements...)
	}
	s.turn = s.elements(s.turn, driver.DeleteElements, old, replaced)
	s.turn = s.elements(s.turn, driver.AddElements, w, added)
	s.sweep = s.elements(s.sweep, driver.DeleteElements, old, swept)
}

// unit is what can be added or deleted: an element, or the two of a range.
type unit struct {
	key      string
	elements []program.Element
}

// changed is what b has and a has not, and the other way round, in a fixed order.
func changed(a, b *program.Set) (add, gone []unit) {
	was, is := units(a), units(b)
	for _, u := range is {
		if o, ok := find(was, u.key); !ok || !sameData(o, u) {
			add = append(add, u)
		}
	}
	for _, u := range was {
		if o, ok := find(is, u.key); !ok || !sameData(u, o) {
			gone = append(gone, u)
		}
	}
	return add, gone
}

// find looks a unit up; list ascends.
func find(list []unit, key string) (unit, bool) {
	i, ok := slices.BinarySearchFunc(list, key, func(u unit, k string) int { return strings.Compare(u.key, k) })
	if !ok {
		return unit{}, false
	}
	return list[i], true
}

func sameData(was, is unit) bool {
	x, y := was.elements[0], is.elements[0]
	return x.Data == y.Data && x.Verdict == y.Verdict && (x.UserData == y.UserData || y.UserData == "")
}

// units are a set's elements, ascending. In an interval set of one field an
// element and the end behind it are one; an end without one marks what is outside.
func units(s *program.Set) []unit {
	list := slices.Clone(s.Elements)
	slices.SortFunc(list, func(x, y program.Element) int {
		if d := strings.Compare(x.Key, y.Key); d != 0 {
			return d
		}
		if x.End != y.End { // where one range ends, the next begins
			if x.End {
				return -1
			}
			return 1
		}
		return strings.Compare(x.KeyEnd, y.KeyEnd)
	})
	var out []unit
	open := false
	for _, e := range list {
		if e.End {
			if n := len(out) - 1; open {
				out[n].key += "-" + e.Key
				out[n].elements = append(out[n].elements, e)
			}
			open = false
			continue
		}
		open = s.Flags&program.SetInterval != 0 && s.Flags&program.SetConcat == 0
		key := e.Key + "/" + e.KeyEnd
		if e.CatchAll {
			key = "*"
		}
		out = append(out, unit{key, []program.Element{e}})
	}
	slices.SortFunc(out, func(x, y unit) int { return strings.Compare(x.key, y.key) })
	return out
}
