package match

import (
	"errors"
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

// flag is a row for an option without a word that may be inverted: Is(true) or
// Not(true).
func flag[T any](name string, field func(*T) *Opt[bool]) option.Row[T] {
	return option.Row[T]{
		Name: name, Invert: true,
		Set: func(t *T, not bool, _ []string, _ option.Context) error {
			*field(t) = isOrNot(not, true)
			return nil
		},
		Get: func(t *T, _ nf.Family) (bool, string, bool) {
			_, not, ok := field(t).Get()
			return not, "", ok
		},
	}
}

// asFlag brings Is(false) to Not(true).
func asFlag(o Opt[bool]) Opt[bool] {
	if !o.ok {
		return o
	}
	return isOrNot(o.not == o.v, true)
}

// once refuses a second option for the same field, under whatever name.
func once[T any, V comparable](row option.Row[T], field func(*T) *Opt[V]) option.Row[T] {
	set := row.Set
	row.Set = func(t *T, not bool, words []string, c option.Context) error {
		if field(t).Given() {
			return errTogether
		}
		return set(t, not, words, c)
	}
	return row
}

var errTogether = errors.New("these options cannot be used together")

// unprinted is a row that is read only: another one prints the field, or none.
func unprinted[T any](row option.Row[T]) option.Row[T] {
	row.Get = nil
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
