package align

import "slices"

// search is a longest common subsequence of two lists of numbers, by Hunt and
// Szymanski: for every pair of equal numbers it looks up, by bisection, how long
// a subsequence can end there.
type search struct {
	a, b []int32
	kept []int // for each of b the index in a, or -1
}

// pairsEach is how many pairs of equal numbers an element may have on average
// before the commonest numbers are left for later.
const pairsEach = 16

// run fills kept for b[loB:hiB] out of a[loA:hiA].
func (s *search) run(loA, hiA, loB, hiB int) {
	if loA == hiA || loB == hiB {
		return
	}
	at, dropped := s.positions(loA, hiA, loB, hiB)
	any := s.longest(at, loB, hiB)
	if !dropped {
		return
	}
	if !any {
		s.greedy(loA, hiA, loB, hiB)
		return
	}
	// What was dropped is looked for between what was found.
	i, j := loA, loB
	for k := loB; k < hiB; k++ {
		if to := s.kept[k]; to >= 0 {
			s.run(i, to, j, k)
			i, j = to+1, k+1
		}
	}
	s.run(i, hiA, j, hiB)
}

// positions is where each number of b stands in a, descending. Numbers that
// would make too many pairs are left out, and then dropped is true.
func (s *search) positions(loA, hiA, loB, hiB int) (at map[int32][]int32, dropped bool) {
	inB := make(map[int32]int, hiB-loB)
	for _, id := range s.b[loB:hiB] {
		if id >= 0 {
			inB[id]++
		}
	}
	at = make(map[int32][]int32, len(inB))
	for i := hiA - 1; i >= loA; i-- {
		if inB[s.a[i]] > 0 {
			at[s.a[i]] = append(at[s.a[i]], int32(i))
		}
	}
	pairs := 0
	ids := make([]int32, 0, len(at))
	for id, where := range at {
		pairs += len(where) * inB[id]
		ids = append(ids, id)
	}
	limit := pairsEach * (hiA - loA + hiB - loB)
	if pairs <= limit {
		return at, false
	}
	weight := func(id int32) int { return len(at[id]) * inB[id] }
	slices.SortFunc(ids, func(x, y int32) int {
		if d := weight(y) - weight(x); d != 0 {
			return d
		}
		return int(x - y)
	})
	for _, id := range ids {
		if pairs <= limit {
			break
		}
		pairs -= weight(id)
		delete(at, id)
	}
	return at, true
}

// node is the end of a common subsequence.
type node struct {
	i, j int32
	prev int32 // index of the node before; -1: none
}

// longest finds the longest subsequence of what at holds, and says whether there
// is any.
func (s *search) longest(at map[int32][]int32, loB, hiB int) bool {
	var (
		nodes []node
		ends  []int32 // the node that ends the best subsequence of each length
		where []int32 // its place in a: ascends
	)
	for j := loB; j < hiB; j++ {
		for _, i := range at[s.b[j]] { // descending, so that one of b is used once
			k, found := slices.BinarySearch(where, i)
			if found {
				continue
			}
			n := node{i: i, j: int32(j), prev: -1}
			if k > 0 {
				n.prev = ends[k-1]
			}
			nodes = append(nodes, n)
			if k == len(where) {
				where, ends = append(where, i), append(ends, int32(len(nodes)-1))
				continue
			}
			where[k], ends[k] = i, int32(len(nodes)-1)
		}
	}
	if len(ends) == 0 {
		return false
	}
	for k := ends[len(ends)-1]; k >= 0; k = nodes[k].prev {
		s.kept[nodes[k].j] = int(nodes[k].i)
	}
	return true
}

// greedy takes each of b from the next place in a that it can come from. It is
// for lists of very few different numbers, where nearly any choice will do.
func (s *search) greedy(loA, hiA, loB, hiB int) {
	at := make(map[int32][]int32)
	for i := loA; i < hiA; i++ {
		at[s.a[i]] = append(at[s.a[i]], int32(i))
	}
	next := loA
	for j := loB; j < hiB; j++ {
		where := at[s.b[j]]
		for len(where) > 0 && int(where[0]) < next {
			where = where[1:]
		}
		at[s.b[j]] = where
		if len(where) > 0 {
			s.kept[j] = int(where[0])
			next = int(where[0]) + 1
		}
	}
}
