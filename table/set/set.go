package set

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gatehouse-fw/gatehouse/rule/match"
)

// Set describes a set; it is a plain, comparable value. In a table for both
// families a set of addresses holds IPv4 and IPv6 behind the one name.
type Set struct {
	Name string // 1 to 31 bytes, as an ipset's
	Key  Key    // what an element is
	// Timeout is how long an element stays unless it says otherwise, in whole
	// seconds; zero: for ever.
	Timeout  time.Duration
	Counters bool // count packets and bytes an element
	// Size is how many elements the set takes, for each family; zero: no limit. Of a set
	// of ranges the kernel counts both ends.
	Size int
	// Disjoint refuses an element that overlaps another (*OverlapError); false: they
	// are merged. It is about Nets: all else can only be equal.
	Disjoint bool
}

// ErrTimeout is the reason of a timeout that is no number of seconds that the
// kernel can count; tested with errors.Is.
var ErrTimeout = errors.New("a timeout is 1 second to 68 years, in whole seconds")

// maxTimeout is the longest timeout.
const maxTimeout = math.MaxInt32 * time.Second

// ErrSize is the reason of a size that no set can have; tested with errors.Is.
var ErrSize = errors.New("a size is 1 to 2147483647, or 0 for no limit")

// Err says why the set cannot be made.
func (s Set) Err() error {
	switch {
	case match.CheckSetName(s.Name) != nil:
		return match.CheckSetName(s.Name)
	case s.Key.Err() != nil:
		return s.Key.Err()
	case s.Timeout < 0 || s.Timeout > maxTimeout || s.Timeout%time.Second != 0:
		return fmt.Errorf("%w: %v", ErrTimeout, s.Timeout)
	case s.Size < 0 || s.Size > math.MaxInt32:
		return fmt.Errorf("%w: %d", ErrSize, s.Size)
	}
	return nil
}

// Contains is a match: the packet's fields, in the order of the key, are in the set.
func (s Set) Contains(by ...match.Field) match.Own {
	return match.Own{Set: match.Is(s.Name), By: fields(by)}
}

// Lacks is the inverted match.
func (s Set) Lacks(by ...match.Field) match.Own {
	return match.Own{Set: match.Not(s.Name), By: fields(by)}
}

// fields are at most as many as a By holds; more make it none, which is an error.
func fields(list []match.Field) (by match.By) {
	if len(list) > len(by) {
		return by
	}
	copy(by[:], list)
	return by
}
