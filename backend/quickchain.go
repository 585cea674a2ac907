package backend

import (
	"github.com/gatehouse-fw/gatehouse/internal/image"
	"github.com/gatehouse-fw/gatehouse/rule"
)

// image is the chain in the Edit's image; nil where everything has to be read.
func (c *ChainEdit) image(whole bool) *image.List {
	x := c.e.quick
	if x == nil {
		return nil
	}
	l := x.list(c.id, c.name, whole)
	x.asked = x.asked || l != nil
	return l
}

// print is a rule as it stands in the chain's table, and what stands for it.
func (c *ChainEdit) print(r rule.Rule) (rule.Rule, image.Print) {
	r = r.In(c.id.Family())
	return r, c.e.quick.image.Print(r)
}

// quickly is a verb done on the image; false: it is to be done on everything. again is
// the verb, to be done again should everything have to be read later.
func (c *ChainEdit) quickly(whole bool, again func(), do func(l *image.List)) bool {
	l := c.image(whole)
	if l == nil {
		return false
	}
	x := c.e.quick
	do(l)
	x.log = append(x.log, again)
	return true
}

// quickAdd puts rules before rule n, or, 0, at the end; unique: those that are not there.
func (c *ChainEdit) quickAdd(l *image.List, n int, rs []rule.Rule, unique bool) {
	if n == 0 {
		n = l.Len() + 1
	}
	for _, r := range rs {
		r, p := c.print(r)
		if unique && l.Find(p) > 0 {
			continue
		}
		l.Insert(n, r, p)
		n++
	}
}

// quickInsert is Insert, or InsertUnique, of which those rules are left out first that
// the chain has.
func (c *ChainEdit) quickInsert(l *image.List, n int, rs []rule.Rule, unique bool) {
	var some []rule.Rule
	for _, r := range rs {
		if _, p := c.print(r); !unique || l.Find(p) == 0 {
			some = append(some, r)
		}
	}
	if c.at("insert rule", n, l.Len()+1) {
		c.quickAdd(l, n, some, false)
	}
}

// quickDelete is Delete.
func (c *ChainEdit) quickDelete(l *image.List, r rule.Rule) {
	_, p := c.print(r)
	n := l.Find(p)
	if n == 0 {
		c.e.fail("delete rule", c.id, c.name, 0, r, notThere("rule"))
		return
	}
	l.Delete(n)
}

// quickReplace is Replace; false for a rule that is there already, of which only the
// counters start anew.
func (c *ChainEdit) quickReplace(n int, r rule.Rule) bool {
	l := c.image(true)
	if l == nil {
		return false
	}
	s, p := c.print(r)
	if c.at("replace rule", n, l.Len()) {
		if l.Same(n, p) {
			return false
		}
		l.Replace(n, s, p)
	}
	c.e.quick.log = append(c.e.quick.log, func() { c.Replace(n, r) })
	return true
}
