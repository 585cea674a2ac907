package set

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Content is a set's elements while they change: sorted, and where they are ranges,
// disjoint. It is for the pipeline, not for callers: a program uses Table.WithSet
// and Edit.
type Content struct {
	set    Set
	blocks [][]entry // none empty, none much longer than blockLen
	n      int
	net    map[nf.Family]segment // where Nets stands in a key; none: no ranges
}

// entry is an element, and whether it is to be written anew though the kernel may
// have it already: its time starts again.
type entry struct {
	Element
	fresh bool
}

// segment is a part of a key.
type segment struct{ from, to int }

// blockLen is how many elements a block has at most: few enough to move, many
// enough that there are few blocks.
const blockLen = 512

// NewContent is an empty set's.
func NewContent(s Set) *Content {
	c := &Content{set: s}
	if !s.Key.Has(Nets) {
		return c
	}
	c.net = map[nf.Family]segment{}
	for _, f := range [...]nf.Family{nf.IPv4, nf.IPv6} {
		at := 0
		for _, k := range s.Key.Fields() {
			n := k.Type(f).Len()
			if k == Nets {
				c.net[f] = segment{at, at + n}
				break
			}
			at += program.Padded(n)
		}
	}
	return c
}

// Len is how many elements there are.
func (c *Content) Len() int { return c.n }

// All yields the elements, ascending, IPv4 first.
func (c *Content) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for e := range c.Entries() {
			if !yield(e) {
				return
			}
		}
	}
}

// Entries is All, and says of each whether its time starts again.
func (c *Content) Entries() iter.Seq2[Element, bool] {
	return func(yield func(Element, bool) bool) {
		for _, b := range c.blocks {
			for i := range b {
				if !yield(b[i].Element, b[i].fresh) {
					return
				}
			}
		}
	}
}

// compare orders elements: by family, by what must be equal, by where ranges begin.
func (c *Content) compare(a, b *Element) int {
	if a.family != b.family {
		return int(a.family) - int(b.family)
	}
	s, ranges := c.net[a.family]
	if !ranges || c.set.Key.single() {
		return strings.Compare(a.lo, b.lo)
	}
	if d := strings.Compare(a.lo[:s.from], b.lo[:s.from]); d != 0 {
		return d
	}
	if d := strings.Compare(a.lo[s.to:], b.lo[s.to:]); d != 0 {
		return d
	}
	return strings.Compare(a.lo[s.from:s.to], b.lo[s.from:s.to])
}

// overlap says whether two elements have something in common.
func (c *Content) overlap(a, b *Element) bool {
	s, ranges := c.net[a.family]
	switch {
	case a.family != b.family:
		return false
	case !ranges:
		return a.lo == b.lo
	case a.lo[:s.from] != b.lo[:s.from] || a.lo[s.to:] != b.lo[s.to:]:
		return false
	}
	return a.lo[s.from:s.to] <= b.hi[s.from:s.to] && b.lo[s.from:s.to] <= a.hi[s.from:s.to]
}

// search is where the first element stands that is not below e: block i, place j.
// Past the end it is one place behind the last.
func (c *Content) search(e *Element) (i, j int) {
	i, found := slices.BinarySearchFunc(c.blocks, e, func(b []entry, e *Element) int { return c.compare(&b[0].Element, e) })
	if found || i == 0 {
		return i, 0
	}
	b := c.blocks[i-1]
	j, _ = slices.BinarySearchFunc(b, e, func(x entry, e *Element) int { return c.compare(&x.Element, e) })
	return i - 1, j
}

// overlapping are the elements that have something in common with e, ascending.
func (c *Content) overlapping(e *Element) []Element {
	var out []Element
	i, j := c.search(e)
	if x, ok := c.beforePlace(i, j); ok && c.overlap(&x, e) {
		out = append(out, x)
	}
	for ; i < len(c.blocks); i, j = i+1, 0 {
		for ; j < len(c.blocks[i]); j++ {
			if x := &c.blocks[i][j].Element; c.overlap(x, e) {
				out = append(out, *x)
				continue
			}
			return out
		}
	}
	return out
}

// beforePlace is the element before a place.
func (c *Content) beforePlace(i, j int) (Element, bool) {
	switch {
	case i < len(c.blocks) && j > 0:
		return c.blocks[i][j-1].Element, true
	case i > 0:
		b := c.blocks[i-1]
		return b[len(b)-1].Element, true
	}
	return Element{}, false
}

// place is where the element with e's key stands; nil: nowhere.
func (c *Content) place(e *Element) *entry {
	i, j := c.search(e)
	if i < len(c.blocks) && j < len(c.blocks[i]) && c.blocks[i][j].Same(*e) {
		return &c.blocks[i][j]
	}
	return nil
}

// insert puts an element in that overlaps none.
func (c *Content) insert(e entry) {
	c.n++
	if len(c.blocks) == 0 {
		c.blocks = [][]entry{append(make([]entry, 0, blockLen), e)}
		return
	}
	i, j := c.search(&e.Element)
	if i == len(c.blocks) {
		i--
		j = len(c.blocks[i])
	}
	b := c.blocks[i]
	if len(b) < blockLen {
		c.blocks[i] = slices.Insert(b, j, e)
		return
	}
	if i == len(c.blocks)-1 && j == len(b) { // what comes in order fills blocks whole
		c.blocks = append(c.blocks, append(make([]entry, 0, blockLen), e))
		return
	}
	half := append(make([]entry, 0, blockLen), b[blockLen/2:]...)
	c.blocks[i] = b[:blockLen/2]
	c.blocks = slices.Insert(c.blocks, i+1, half)
	c.n--
	c.insert(e)
}

// drop takes the element with e's key out.
func (c *Content) drop(e *Element) {
	i, j := c.search(e)
	if i == len(c.blocks) || j == len(c.blocks[i]) || !c.blocks[i][j].Same(*e) {
		return
	}
	c.n--
	c.blocks[i] = slices.Delete(c.blocks[i], j, j+1)
	if len(c.blocks[i]) == 0 {
		c.blocks = slices.Delete(c.blocks, i, i+1)
	}
}

// ends is how long an element stays from now on.
func (c *Content) ends(e *Element) time.Duration {
	switch t := c.timeout(e); {
	case t == 0:
		return maxTimeout + 1
	case e.left != 0:
		return e.left
	default:
		return t
	}
}

// timeout is the one that counts for an element: its own or the set's; 0: none.
func (c *Content) timeout(e *Element) time.Duration {
	if e.timed {
		return e.timeout
	}
	return c.set.Timeout
}

// normal is an element without a timeout of its own where it is the set's.
func (c *Content) normal(e Element) Element {
	if e.timed && e.timeout == c.set.Timeout {
		e.timed, e.timeout = false, 0
	}
	return e
}
