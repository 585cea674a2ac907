// Package align finds what two lists of rules have in common, in order: which
// rules a change keeps, and so which keep their handles and counters.
package align

import "github.com/gatehouse-fw/gatehouse/internal/program"

// Rules returns, for each rule of b, the index of the rule of a that is the Same
// and stays in its place, or -1. The indexes ascend.
//
// It is a longest common subsequence, in n log n for n rules of which few are
// alike. Where so many are alike that this would be slow, it is a common
// subsequence all the same, though perhaps not the longest.
func Rules(a, b []*program.Rule) []int {
	h := NewHasher()
	return By(a, b, (*program.Rule).Same, h.Rule)
}

// By is Rules for another notion of sameness: two elements may be the same only
// if their hashes are equal.
func By[T any](a, b []T, same func(a, b T) bool, hash func(T) uint64) []int {
	kept := make([]int, len(b))
	n := min(len(a), len(b))
	lo := 0
	for lo < n && same(a[lo], b[lo]) {
		kept[lo] = lo
		lo++
	}
	hiA, hiB := len(a), len(b)
	for hiA > lo && hiB > lo && same(a[hiA-1], b[hiB-1]) {
		hiA--
		hiB--
		kept[hiB] = hiA
	}
	middle := kept[lo:hiB]
	for i := range middle {
		middle[i] = -1
	}
	if lo == hiA || lo == hiB {
		return kept
	}
	idsA, idsB := number(a[lo:hiA], b[lo:hiB], hash)
	s := search{a: idsA, b: idsB, kept: middle}
	s.run(0, len(idsA), 0, len(idsB))
	for j, i := range middle {
		switch {
		case i < 0:
		case same(a[lo+i], b[lo+j]):
			middle[j] = lo + i
		default: // two that share a hash and nothing else
			middle[j] = -1
		}
	}
	return kept
}

// number gives equal hashes equal small numbers, in the order of a; what is in b
// alone is -1.
func number[T any](a, b []T, hash func(T) uint64) (idsA, idsB []int32) {
	ids := make(map[uint64]int32, len(a))
	idsA, idsB = make([]int32, len(a)), make([]int32, len(b))
	for i, x := range a {
		h := hash(x)
		id, ok := ids[h]
		if !ok {
			id = int32(len(ids))
			ids[h] = id
		}
		idsA[i] = id
	}
	for j, x := range b {
		idsB[j] = -1
		if id, ok := ids[hash(x)]; ok {
			idsB[j] = id
		}
	}
	return idsA, idsB
}
