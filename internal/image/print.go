package image

import (
	"hash/maphash"
	"reflect"

	"github.com/gatehouse-fw/gatehouse/rule"
)

// Print stands for what a rule says, its counters left aside: two rules that are Equal
// have one print. Two that are not have different ones, but for a chance of about one
// in 2^128 for each pair: nobody outside knows the seeds, so nobody can look for a pair.
type Print [2]uint64

// Prints makes prints; what two of them make cannot be compared. It must be made by
// NewPrints.
type Prints struct{ seeds [2]maphash.Seed }

// NewPrints makes one.
func NewPrints() Prints { return Prints{[2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}} }

// Of is a rule's print.
func (p Prints) Of(r rule.Rule) (out Print) {
	for i, seed := range p.seeds {
		sum := part(seed, r.Target())
		for m := range r.Matches() {
			sum = (sum ^ part(seed, m)) * 0x9e3779b97f4a7c15 // odd, its bits well spread
			sum ^= sum >> 29
		}
		out[i] = sum
	}
	return out
}

// part is the hash of a match or target. Its type is said apart: the hash of an
// interface is its content's alone.
func part(seed maphash.Seed, v any) uint64 {
	return maphash.Comparable(seed, struct{ of, is any }{reflect.TypeOf(v), v})
}
