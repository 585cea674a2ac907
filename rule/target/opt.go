package target

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Opt is an option of a target: absent (the zero value) or v. It is used where
// v's zero value says something.
type Opt[T comparable] struct {
	v  T
	ok bool
}

// Is is the option v.
func Is[T comparable](v T) Opt[T] { return Opt[T]{v, true} }

// Get returns the value, and whether it is there at all.
func (o Opt[T]) Get() (v T, ok bool) { return o.v, o.ok }

// Given says whether the option is there.
func (o Opt[T]) Given() bool { return o.ok }

// opt is a row for an Opt field.
func opt[T any, V comparable](name string, field func(*T) *Opt[V], codec option.Codec[V], aliases ...string) option.Row[T] {
	return option.Row[T]{
		Name: name, Aliases: aliases, Args: 1, Want: codec.Want,
		Set: func(t *T, _ bool, words []string, c option.Context) error {
			v, err := codec.Parse(words[0], c)
			*field(t) = Is(v)
			return err
		},
		Get: func(t *T, f nf.Family) (bool, string, bool) {
			v, ok := field(t).Get()
			if !ok {
				return false, "", false
			}
			return false, codec.Print(v, f), true
		},
	}
}

// hex is a codec like option.Number that prints hexadecimal digits, as many as
// given at least.
func hex[V ~uint8 | ~uint16 | ~uint32](hi V, digits int) option.Codec[V] {
	c := option.Number(0, hi)
	c.Print = func(v V, _ nf.Family) string { return fmt.Sprintf("0x%0*x", digits, v) }
	return c
}

// must is the error of an option that is not there.
func must(name string, given bool) error {
	if given {
		return nil
	}
	return fmt.Errorf("option %q must be specified", name)
}
