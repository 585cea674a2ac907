package table

import (
	"slices"
)

// node is a chain as a place that jumps lead to.
type node struct {
	jumps   []jump
	reached uint32 // bit n: from the built-in chain with hook n
	state   state
	height  int // how many chains follow at most; valid when done
	deepest int // which jump leads to them
}

type jump struct{ to, rule int }

type state uint8

const (
	unseen state = iota
	open         // on the path that is being walked
	done
)

// graph finds loops, paths that are too deep, and rules that packets reach from
// where they may not. It looks at every jump once.
func (c *checker) graph() {
	order, looped := c.walk()
	if looped {
		return
	}
	for i := range c.nodes {
		if _, ok := c.t.chains[i].Policy(); ok && c.nodes[i].height > MaxDepth {
			c.deep(i)
		}
	}
	for _, i := range slices.Backward(order) {
		for _, j := range c.nodes[i].jumps {
			c.nodes[j.to].reached |= c.nodes[i].reached
		}
	}
	for _, p := range c.places {
		if wrong := c.nodes[p.chain].reached &^ p.allowed; wrong != 0 {
			c.fail(p.chain, p.rule, p.extension, &PlaceError{
				Extension: p.extension, Chains: p.needs.Chains, From: c.names(wrong),
			})
		}
	}
}

// names are the built-in chains of a set of hooks.
func (c *checker) names(hooks uint32) (out []string) {
	for _, h := range c.t.id.BuiltIns() {
		if hooks&(1<<h.Num) != 0 {
			out = append(out, h.Chain)
		}
	}
	return out
}

// walk visits all chains depth first, each once, and returns them in the order
// in which they were left: a chain after every chain that it jumps to. It keeps
// its own stack, since a chain of jumps may be as long as there are chains.
func (c *checker) walk() (order []int, looped bool) {
	type frame struct{ chain, next int }
	for start := range c.nodes {
		if c.nodes[start].state != unseen {
			continue
		}
		stack := []frame{{chain: start}}
		c.nodes[start].state = open
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			n := &c.nodes[top.chain]
			if top.next == len(n.jumps) {
				n.state = done
				n.measure(c.nodes)
				order = append(order, top.chain)
				stack = stack[:len(stack)-1]
				continue
			}
			j := n.jumps[top.next]
			top.next++
			switch c.nodes[j.to].state {
			case unseen:
				c.nodes[j.to].state = open
				stack = append(stack, frame{chain: j.to})
			case open:
				looped = true
				path := []int{j.to}
				from := slices.IndexFunc(stack, func(f frame) bool { return f.chain == j.to })
				for _, f := range stack[from+1:] {
					path = append(path, f.chain)
				}
				c.loop(top.chain, j, path)
			}
		}
	}
	return order, looped
}

// measure notes how deep the jumps of a chain go, all of whose jumps are measured.
func (n *node) measure(nodes []node) {
	for i, j := range n.jumps {
		if h := nodes[j.to].height + 1; h > n.height {
			n.height, n.deepest = h, i
		}
	}
}

// loop reports the jump that closes a loop.
func (c *checker) loop(from int, j jump, path []int) {
	e := &LoopError{}
	for _, i := range append(path, path[0]) {
		e.Path = append(e.Path, c.t.chains[i].Name())
	}
	c.fail(from, j.rule, "", e)
}

// deep reports a built-in chain's deepest path, at its first jump.
func (c *checker) deep(i int) {
	e := &DepthError{Path: []string{c.t.chains[i].Name()}}
	first := c.nodes[i].jumps[c.nodes[i].deepest].rule
	for at := i; len(c.nodes[at].jumps) > 0; {
		at = c.nodes[at].jumps[c.nodes[at].deepest].to
		e.Path = append(e.Path, c.t.chains[at].Name())
	}
	c.fail(i, first, "", e)
}
