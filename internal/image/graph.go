package image

import "slices"

// depth is how many chains may lie below a base chain.
const depth = 15

// graph is which chain leads to which, pages too.
type graph struct{ out, in map[*Chain][]*Chain }

func (t *Table) graph() graph {
	g := graph{map[*Chain][]*Chain{}, map[*Chain][]*Chain{}}
	for _, c := range t.chains {
		seen := make(map[string]bool, len(c.to))
		for _, name := range c.to {
			if to := t.chains[name]; to != nil && !seen[name] {
				seen[name] = true
				g.out[c] = append(g.out[c], to)
				g.in[to] = append(g.in[to], c)
			}
		}
	}
	return g
}

// Leads says whether a rule of a chain may lead to another, of which the model's names
// are given: that it is there, that no packet goes in circles, or too deep, or to a
// rule that it may not meet. Where it says no, there is more to find out. All of the
// table's rules must be known.
func (t *Table) Leads(from *Chain, name string) bool {
	to := t.Chain(name)
	if to == nil || to.Base || t.mapped {
		return false
	}
	g := t.graph()
	down, ok := longest(g.out, to)
	if !ok {
		return false
	}
	up, ok := longest(g.in, from)
	below := above(g.out, to)
	if !ok || below[from] || up+2+down+1 > depth { // a page may come in between; who is no base chain has one above
		return false
	}
	reached := above(g.in, to)
	for c := range above(g.in, from) {
		if c.Base && !reached[c] && slices.ContainsFunc(keys(below), (*Chain).placed) {
			return false
		}
	}
	return true
}

// Reaches says whether all packets of a chain come from built-in chains of those names.
// All of the table's rules must be known.
func (t *Table) Reaches(c *Chain, names []string) bool {
	if t.mapped {
		return false
	}
	for up := range above(t.graph().in, c) {
		if up.Base && !slices.Contains(names, up.model) {
			return false
		}
	}
	return true
}

// placed says whether a rule is for packets of some built-in chains only.
func (c *Chain) placed() bool {
	return slices.ContainsFunc(c.rules, func(r Rule) bool { return r.is(placed) })
}

// above is a chain and all that edges lead to from it.
func above(edges map[*Chain][]*Chain, c *Chain) map[*Chain]bool {
	seen := map[*Chain]bool{c: true}
	for todo := []*Chain{c}; len(todo) > 0; {
		last := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, to := range edges[last] {
			if !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	return seen
}

func keys(m map[*Chain]bool) (out []*Chain) {
	for c := range m {
		out = append(out, c)
	}
	return out
}

// longest is the longest path from a chain; false where there is a loop.
func longest(edges map[*Chain][]*Chain, c *Chain) (int, bool) {
	known := map[*Chain]int{} // -1: on the path
	var walk func(c *Chain) (int, bool)
	walk = func(c *Chain) (int, bool) {
		if n, ok := known[c]; ok {
			return n, n >= 0
		}
		known[c] = -1
		most := 0
		for _, to := range edges[c] {
			n, ok := walk(to)
			if !ok {
				return 0, false
			}
			most = max(most, n+1)
		}
		known[c] = most
		return most, true
	}
	return walk(c)
}

// Lists is how many rules of the table look up a list of single keys. All of the
// table's rules must be known.
func (t *Table) Lists() (n int) {
	for _, c := range t.chains {
		n += c.lists
	}
	return n
}
