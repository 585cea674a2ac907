package match

import (
	"fmt"
	"math"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Numbers is a 32-bit number in a header, or a range of them: a security
// parameter index, a fragment's identification. Made by Number or Between.
type Numbers struct {
	Min, Max uint32 // both included; Min > Max is an error
}

// Number is the one number n.
func Number(n uint32) Numbers { return Numbers{n, n} }

// Between is the numbers from lo to hi, both included.
func Between(lo, hi uint32) Numbers { return Numbers{lo, hi} }

// anyNumber is what iptables does not print, and no packet fails.
var anyNumber = Numbers{0, math.MaxUint32}

// Err is not nil for a range that runs backward.
func (n Numbers) Err() error {
	if n.Min > n.Max {
		return fmt.Errorf("invalid range %v (min > max)", n)
	}
	return nil
}

// String is "100" or "100:200".
func (n Numbers) String() string {
	if n.Min == n.Max {
		return fmt.Sprint(n.Min)
	}
	return fmt.Sprintf("%d:%d", n.Min, n.Max)
}

// numbers is a codec for a number or a range, either side open.
var numbers = option.Codec[Numbers]{
	Want: "a number or a range of numbers",
	Parse: func(w string, _ option.Context) (Numbers, error) {
		lo, hi, err := parseRange(w, math.MaxUint32)
		n := Numbers{uint32(lo), uint32(hi)}
		if err == nil {
			err = n.Err()
		}
		return n, err
	},
	Print: func(n Numbers, _ nf.Family) string { return n.String() },
}

// parseRange reads "a", "a:b", "a:", ":b" or ":", each from 0 to limit.
func parseRange(w string, limit uint64) (lo, hi uint64, err error) {
	first, last, ranged := strings.Cut(w, ":")
	hi = limit
	if first != "" || !ranged {
		lo, err = option.Uint(first, 0, limit)
	}
	if err == nil && last != "" {
		hi, err = option.Uint(last, 0, limit)
	}
	if !ranged {
		hi = lo
	}
	return lo, hi, err
}

// checkNumbers drops the range of all numbers, and refuses one that runs backward.
func checkNumbers(o *Opt[Numbers]) error {
	if *o == Is(anyNumber) {
		*o = Opt[Numbers]{}
	}
	return valid(*o)
}

// numbersBlob is the option as an xt struct holds it; invert is the bit that it
// has where it is inverted.
func numbersBlob(o Opt[Numbers], bit uint8) (bounds [2]uint32, invert uint8) {
	n, not, ok := o.Get()
	if !ok {
		n = anyNumber
	}
	return [2]uint32{n.Min, n.Max}, bitIf(not, bit)
}

// bitIf is bit where on, else 0.
func bitIf[T ~uint8 | ~uint16 | ~uint32](on bool, bit T) T {
	if on {
		return bit
	}
	return 0
}

// readNumbersBlob is numbersBlob's inverse.
func readNumbersBlob(bounds [2]uint32, not bool) Opt[Numbers] {
	n := Numbers{bounds[0], bounds[1]}
	if n == anyNumber && !not {
		return Opt[Numbers]{}
	}
	return isOrNot(not, n)
}

// readNumbers takes the comparison of a field of up to four bytes, if that is what
// comes next.
func readNumbers(r *program.Reader, field program.Payload) (o Opt[Numbers]) {
	t, ok := r.Test(0)
	if !ok || t.Load != field || t.Mask != (program.Value{}) {
		return o
	}
	lo, hi, ok := t.Bounds()
	if n := int(field.Len); !ok || len(lo.Data) != n || len(hi.Data) != n {
		return o
	}
	first, _ := lo.Uint()
	last, _ := hi.Uint()
	r.Take(1)
	return isOrNot(t.Not(), Numbers{uint32(first), uint32(last)})
}

// numbersTest compares a four-byte field.
func numbersTest(field program.Expr, o Opt[Numbers]) program.Test {
	n, not, _ := o.Get()
	return program.IsWithin(field, not, program.Net32(n.Min), program.Net32(n.Max))
}

// listNumbers is "spi:5" or "spis:!5:10"; "" where the option is absent.
func listNumbers(name string, o Opt[Numbers]) string {
	n, not, ok := o.Get()
	switch {
	case !ok:
		return ""
	case n.Min == n.Max:
		return name + ":" + bang(not) + n.String()
	}
	return name + "s:" + bang(not) + n.String()
}
