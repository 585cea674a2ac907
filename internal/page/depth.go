package page

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// maxDepth is how many chains may lie below a base chain; the kernel's jump stack
// is 16, the base chain's own place included.
const maxDepth = 15

// tooDeep is the depth of what lies on a loop, or leads to one or away from it.
const tooDeep = 1 << 20

// fitting are the candidates whose pages fit: all, if they do, else as many as
// do, those first that the host has in pages, then the longest.
func fitting(t *program.Table, candidates []*candidate) []*candidate {
	if len(candidates) == 0 {
		return nil
	}
	g := newGraph(t)
	for _, k := range candidates {
		g.nodes[k.at].paged = true
	}
	g.measure()
	if !slices.ContainsFunc(candidates, func(k *candidate) bool { return g.through(k.at) > maxDepth }) {
		return candidates
	}
	for _, k := range candidates {
		g.nodes[k.at].paged = false
	}
	order := slices.Clone(candidates)
	slices.SortStableFunc(order, func(a, b *candidate) int {
		switch {
		case a.held != nil && b.held == nil:
			return -1
		case a.held == nil && b.held != nil:
			return 1
		}
		return len(b.chain.Rules) - len(a.chain.Rules)
	})
	g.measure()
	for _, k := range order {
		g.nodes[k.at].paged = true
		if g.through(k.at) > maxDepth {
			g.nodes[k.at].paged = false
			continue
		}
		g.measure()
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(k *candidate) bool { return !g.nodes[k.at].paged })
}

// graph is which chain goes to which.
type graph struct {
	nodes []graphNode
	order []int // from callers to called, without what a loop has to do with
}

type graphNode struct {
	to    []edge
	root  int // levels used when packets come in: 0 for a base chain, 1 for what nothing goes to
	paged bool
	up    int // levels above, its own included
	down  int // levels below
}

// edge is a jump or goto, by rule or by map.
type edge struct {
	to    int
	spine bool // from a rule that stays in the spine
}

func newGraph(t *program.Table) *graph {
	g := &graph{nodes: make([]graphNode, len(t.Chains))}
	index := make(map[string]int, len(t.Chains))
	for i, c := range t.Chains {
		index[c.Name] = i
	}
	maps := map[string]bool{}
	mapTargets := map[string][]string{}
	for i, c := range t.Chains {
		seen := map[edge]bool{}
		add := func(name string, spine bool) {
			if to, ok := index[name]; ok && !seen[edge{to, spine}] {
				seen[edge{to, spine}] = true
				g.nodes[i].to = append(g.nodes[i].to, edge{to, spine})
			}
		}
		for _, r := range c.Rules {
			spine, asked := false, false
			for name := range targets(t, r, mapTargets) {
				if !asked {
					spine, asked = bound(t, r, maps), true
				}
				add(name, spine)
			}
		}
	}
	g.sort(t)
	return g
}

// targets yields the chains that a rule leads to, by itself or through a map.
func targets(t *program.Table, r *program.Rule, mapTargets map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, e := range r.Exprs {
			switch e := e.(type) {
			case program.Verdict:
				if e.Chain != "" && !yield(e.Chain) {
					return
				}
			case program.Lookup:
				if !e.Map {
					continue
				}
				names, known := mapTargets[e.Name]
				if !known {
					names = setTargets(t.Set(e.Name))
					mapTargets[e.Name] = names
				}
				for _, name := range names {
					if !yield(name) {
						return
					}
				}
			}
		}
	}
}

func setTargets(s *program.Set) []string {
	if s == nil {
		return nil
	}
	seen := map[string]bool{}
	var out []string
	for _, e := range s.Elements {
		if name := e.Verdict.Chain; name != "" && !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

// sort fills order and finds the roots.
func (g *graph) sort(t *program.Table) {
	in := make([]int, len(g.nodes))
	for i := range g.nodes {
		for _, e := range g.nodes[i].to {
			in[e.to]++
		}
	}
	for i, n := range in {
		if !t.Chains[i].Base {
			g.nodes[i].root = 1
		}
		if n == 0 {
			g.order = append(g.order, i)
		}
	}
	for k := 0; k < len(g.order); k++ {
		for _, e := range g.nodes[g.order[k]].to {
			if in[e.to]--; in[e.to] == 0 {
				g.order = append(g.order, e.to)
			}
		}
	}
}

// measure computes up and down over every path, linear in the graph's size.
func (g *graph) measure() {
	for i := range g.nodes {
		g.nodes[i].up, g.nodes[i].down = tooDeep, tooDeep
	}
	for _, i := range g.order {
		g.nodes[i].up = g.nodes[i].root
	}
	for _, i := range g.order {
		n := &g.nodes[i]
		for _, e := range n.to {
			to := &g.nodes[e.to]
			to.up = max(to.up, n.up+n.step(e))
		}
	}
	for _, i := range slices.Backward(g.order) {
		g.nodes[i].down = g.below(i)
	}
}

// below is how many levels lie below a chain, those of its pages included.
func (g *graph) below(i int) int {
	n := &g.nodes[i]
	down := 0
	if n.paged {
		down = 1
	}
	for _, e := range n.to {
		down = max(down, n.step(e)+g.nodes[e.to].down)
	}
	return down
}

// step is how many levels an edge goes down.
func (n *graphNode) step(e edge) int {
	if n.paged && !e.spine {
		return 2
	}
	return 1
}

// through is the longest path that a chain is on.
func (g *graph) through(i int) int { return g.nodes[i].up + g.below(i) }
