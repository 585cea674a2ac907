package sim

import "github.com/gatehouse-fw/gatehouse/internal/program"

// maxDepth is how many chains may lie below a base chain: the kernel's
// NFT_JUMP_STACK_SIZE is 16, the base chain's own place included.
const maxDepth = 15

// sound says whether no base chain leads into a loop or deeper than maxDepth.
// Chains that no base chain leads to may do both, as in the kernel.
func (t *table) sound() bool {
	heights := map[*chain]int{}
	for _, c := range t.chains {
		if c.Base {
			if _, ok := t.height(c, 0, heights); !ok {
				return false
			}
		}
	}
	return true
}

// height is how many chains lie below c, which lies depth below a base chain; ok
// is false if they are too many. A loop ends there too.
func (t *table) height(c *chain, depth int, heights map[*chain]int) (h int, ok bool) {
	if depth > maxDepth {
		return 0, false
	}
	if h, known := heights[c]; known {
		return h, depth+h <= maxDepth
	}
	for name := range t.goesTo(c) {
		below, ok := t.height(t.chainNamed[name], depth+1, heights)
		if !ok {
			return 0, false
		}
		h = max(h, below+1)
	}
	heights[c] = h
	return h, true
}

// goesTo yields the chains that a chain's rules go to, by themselves or through
// a map; one may come more than once.
func (t *table) goesTo(c *chain) func(func(string) bool) {
	return func(yield func(string) bool) {
		for r := range c.live {
			for _, e := range r.Exprs {
				switch e := e.(type) {
				case program.Verdict:
					if e.Chain != "" && !yield(e.Chain) {
						return
					}
				case program.Lookup:
					if e.Map && !t.setNamed[e.Name].goesTo(yield) {
						return
					}
				}
			}
		}
	}
}

// goesTo yields the chains that a verdict map's elements go to, and says
// whether to go on.
func (s *set) goesTo(yield func(string) bool) bool {
	if s.DataType != verdictData {
		return true
	}
	for _, e := range s.elements {
		if e.Verdict.Chain != "" && !e.End && !yield(e.Verdict.Chain) {
			return false
		}
	}
	return true
}
