package match

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Opt is one invertible option of a match: absent (the zero value), v, or
// anything but v.
type Opt[T comparable] struct {
	v       T
	not, ok bool
}

// Is is the option v.
func Is[T comparable](v T) Opt[T] { return Opt[T]{v: v, ok: true} }

// Not is the option "! v".
func Not[T comparable](v T) Opt[T] { return Opt[T]{v: v, not: true, ok: true} }

// isOrNot is Not(v) where not, else Is(v).
func isOrNot[T comparable](not bool, v T) Opt[T] { return Opt[T]{v: v, not: not, ok: true} }

// Get returns the value, whether it is inverted, and whether it is there at all.
func (o Opt[T]) Get() (v T, not, ok bool) { return o.v, o.not, o.ok }

// Given says whether the option is there.
func (o Opt[T]) Given() bool { return o.ok }

// opt is a row for an Opt field: one word, invertible.
func opt[T any, V comparable](name string, field func(*T) *Opt[V], codec option.Codec[V], aliases ...string) option.Row[T] {
	return option.Row[T]{
		Name: name, Aliases: aliases, Args: 1, Invert: true, Want: codec.Want,
		Set: func(t *T, not bool, words []string, c option.Context) error {
			v, err := codec.Parse(words[0], c)
			*field(t) = isOrNot(not, v)
			return err
		},
		Get: func(t *T, f nf.Family) (bool, string, bool) {
			v, not, ok := field(t).Get()
			if !ok {
				return false, "", false
			}
			return not, codec.Print(v, f), true
		},
	}
}

// plain is opt for an option that iptables does not invert.
func plain[T any, V comparable](name string, field func(*T) *Opt[V], codec option.Codec[V], aliases ...string) option.Row[T] {
	row := opt(name, field, codec, aliases...)
	row.Invert = false
	return row
}

// valid reports the error of an option's value, where the option is there.
func valid[V interface {
	comparable
	Err() error
}](o Opt[V]) error {
	if v, _, ok := o.Get(); ok {
		return v.Err()
	}
	return nil
}

// mandatory is valid for an option without which the match says nothing.
func mandatory[V interface {
	comparable
	Err() error
}](name string, o Opt[V]) error {
	if !o.Given() {
		return fmt.Errorf("option %q must be specified", name)
	}
	return valid(o)
}
