package set

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// OverlapError is an element that a Disjoint set cannot have, since another one
// covers a part of it. It is fs.ErrExist.
type OverlapError struct {
	Set            string
	Element, Other Element
}

// Error names both.
func (e *OverlapError) Error() string {
	return fmt.Sprintf("set %s is disjoint: %v overlaps %v", e.Set, e.Element, e.Other)
}

// Unwrap makes it fs.ErrExist.
func (e *OverlapError) Unwrap() error { return fs.ErrExist }

// Fill puts in elements that fit the set, widest first where they are ranges, so
// that what lies within another needs no place of its own.
func (c *Content) Fill(elements []Element) error {
	list := make([]entry, len(elements))
	for i, e := range elements {
		list[i].Element = c.normal(e)
	}
	order := func(a, b entry) int { return c.compare(&a.Element, &b.Element) }
	if !slices.IsSortedFunc(list, order) {
		slices.SortStableFunc(list, order)
	}
	apart := c.n == 0
	for i := 1; i < len(list) && apart; i++ {
		apart = !c.overlap(&list[i-1].Element, &list[i].Element)
	}
	if apart {
		c.n = len(list)
		for part := range slices.Chunk(list, blockLen) {
			c.blocks = append(c.blocks, slices.Clone(part))
		}
		return nil
	}
	if c.net != nil {
		slices.SortStableFunc(list, func(a, b entry) int { return c.width(&b.Element, &a.Element) })
	}
	for i := range list {
		if _, err := c.Add(list[i].Element); err != nil {
			return err
		}
	}
	for _, b := range c.blocks {
		for i := range b {
			b[i].fresh = false
		}
	}
	return nil
}

// width compares how wide two elements' ranges are.
func (c *Content) width(a, b *Element) int {
	if a.family != b.family {
		return cmp.Compare(a.family, b.family)
	}
	s := c.net[a.family]
	return slices.Compare(minus(a.hi[s.from:s.to], a.lo[s.from:s.to]), minus(b.hi[s.from:s.to], b.lo[s.from:s.to]))
}

// minus is the difference of two numbers of as many bytes.
func minus(a, b string) []byte {
	out := make([]byte, len(a))
	borrow := 0
	for i := len(a) - 1; i >= 0; i-- {
		d := int(a[i]) - int(b[i]) - borrow
		borrow = 0
		if d < 0 {
			d, borrow = d+256, 1
		}
		out[i] = byte(d)
	}
	return out
}

// Add puts in an element that fits the set, and says whether some of it was not
// there. One that is there gets the new timeout, which starts again, and the new
// comment, and keeps its counters.
func (c *Content) Add(e Element) (added bool, err error) {
	e = c.normal(e)
	if old := c.place(&e); old != nil {
		e.counters = old.counters
		if *old != (entry{e, false}) || c.timeout(&e) != 0 {
			*old = entry{e, true}
		}
		return false, nil
	}
	others := c.overlapping(&e)
	switch {
	case len(others) == 0:
		c.insert(entry{e, true})
		return true, nil
	case c.set.Disjoint:
		return false, &OverlapError{c.set.Name, e, others[0]}
	}
	for _, o := range others {
		if c.ends(&o) < c.ends(&e) {
			c.renew(o, e)
		}
	}
	for _, gap := range c.without(e, others) {
		c.insert(entry{gap, true})
		added = true
	}
	return added, nil
}

// renew gives the part of o that e covers e's timeout and comment.
func (c *Content) renew(o, e Element) {
	c.drop(&o)
	for _, rest := range c.without(o, []Element{e}) {
		c.insert(entry{rest, true})
		o.counters = nf.Counters{} // the first part has them
	}
	s := c.net[e.family]
	part := o
	part.timed, part.timeout, part.left, part.comment = e.timed, e.timeout, e.left, e.comment
	c.cut(&part, max(o.lo[s.from:s.to], e.lo[s.from:s.to]), min(o.hi[s.from:s.to], e.hi[s.from:s.to]))
	c.insert(entry{part, true})
}

// Remove takes out an element, of ranges that are merged all that it covers, and says
// whether there was anything. What remains of a range keeps its time and comment.
func (c *Content) Remove(e Element) (removed bool) {
	if old := c.place(&e); old != nil {
		c.drop(&e)
		return true
	}
	if c.set.Disjoint || c.net == nil {
		return false
	}
	for _, o := range c.overlapping(&e) {
		c.drop(&o)
		removed = true
		for i, rest := range c.without(o, []Element{e}) {
			if i > 0 {
				rest.counters = nf.Counters{}
			}
			c.insert(entry{rest, true})
		}
	}
	return removed
}

// Find is the element with e's key.
func (c *Content) Find(e Element) (Element, bool) {
	if old := c.place(&e); old != nil {
		return old.Element, true
	}
	return Element{}, false
}

// Covers says whether all of e is in.
func (c *Content) Covers(e Element) bool {
	if c.place(&e) != nil {
		return true
	}
	return c.net != nil && len(c.without(e, c.overlapping(&e))) == 0
}

// without are the parts of e that others, ascending and disjoint, do not cover.
func (c *Content) without(e Element, others []Element) []Element {
	s := c.net[e.family]
	var out []Element
	lo, end := e.lo[s.from:s.to], e.hi[s.from:s.to]
	for _, o := range others {
		first, last := o.lo[s.from:s.to], o.hi[s.from:s.to]
		if first > lo {
			part := e
			c.cut(&part, lo, program.PrevKey(first))
			out = append(out, part)
		}
		after, more := program.NextKey(last)
		if !more || last >= end {
			return out
		}
		lo = max(lo, after)
	}
	part := e
	c.cut(&part, lo, end)
	return append(out, part)
}

// cut narrows an element's range.
func (c *Content) cut(e *Element, lo, hi string) {
	s := c.net[e.family]
	*e = Element{
		family: e.family, timed: e.timed, timeout: e.timeout, left: e.left, counters: e.counters, comment: e.comment,
		lo: e.lo[:s.from] + lo + e.lo[s.to:], hi: e.hi[:s.from] + hi + e.hi[s.to:],
	}
	e.key = Read(c.set.Key, e.family, e.lo, e.hi).key
}
