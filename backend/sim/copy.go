package sim

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// copy is the table for a reader, who may do with it what he likes.
func (t *table) copy(scope driver.Scope, at time.Duration) *program.Table {
	out := t.Table
	for _, c := range t.chains {
		ch := c.Chain
		ch.Use = c.refs + uint32(c.count())
		if !scope.Bare && (scope.Chain == nil || scope.Chain(&t.Table, &ch)) {
			for r := range c.live {
				ch.Rules = append(ch.Rules, t.copyRule(r))
			}
		}
		out.Chains = append(out.Chains, &ch)
	}
	for _, s := range t.sets {
		set := s.Set
		switch {
		case scope.Bare && scope.Elements == nil:
		case scope.Elements != nil && s.Flags&program.SetAnonymous == 0 && !scope.Elements(&t.Table, &set):
			set.Unread = true
		default:
			set.Elements = s.sorted(at)
		}
		out.Sets = append(out.Sets, &set)
	}
	return &out
}

// copyRule is the rule with the content of the constant sets that it looks into.
func (t *table) copyRule(r *program.Rule) *program.Rule {
	out := *r
	out.Exprs = slices.Clone(r.Exprs)
	for i, e := range out.Exprs {
		if l, ok := e.(program.Lookup); ok && l.Name != "" && !l.Map {
			l.Const = t.setNamed[l.Name].content()
			out.Exprs[i] = l
		}
	}
	return &out
}

// sorted is every element, keys ascending, with the time that it has left then.
func (s *set) sorted(at time.Duration) []program.Element {
	var out []program.Element
	for _, e := range s.elements {
		out = append(out, e.left(at))
	}
	slices.SortFunc(out, func(a, b program.Element) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), -compareBool(a.End, b.End), strings.Compare(a.KeyEnd, b.KeyEnd))
	})
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// content is what a constant set holds; the zero value for any other.
func (s *set) content() program.ConstSet {
	if s.Flags&program.SetConstant == 0 || s.Flags&program.SetMap != 0 {
		return program.ConstSet{}
	}
	out := program.ConstSet{
		Type: program.KeyType(s.KeyType), Len: s.KeyLen, Host: s.Host,
		Interval: s.Flags&program.SetInterval != 0,
	}
	var b strings.Builder
	open := false
	for _, e := range s.sorted(0) {
		switch {
		case !out.Interval:
			b.WriteString(e.Key)
		case e.KeyEnd != "":
			b.WriteString(e.Key + e.KeyEnd)
		case e.End && open:
			b.WriteString(before(e.Key))
			open = false
		case !e.End:
			b.WriteString(e.Key)
			open = true
		}
	}
	if open {
		b.WriteString(strings.Repeat("\xff", int(s.KeyLen)))
	}
	out.Elems = b.String()
	return out
}

// before is the key before k.
func before(k string) string {
	b := []byte(k)
	for i := len(b) - 1; i >= 0; i-- {
		b[i]--
		if b[i] != 0xff {
			break
		}
	}
	return string(b)
}
