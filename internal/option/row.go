package option

import "github.com/gatehouse-fw/gatehouse/rule/nf"

// Codec reads and prints one kind of value.
type Codec[V any] struct {
	Want  string // what the word should be
	Parse func(word string, c Context) (V, error)
	Print func(v V, f nf.Family) string
}

// Field is an option that takes one word and cannot be inverted. Its zero value
// is "absent".
func Field[T any, V comparable](name string, field func(*T) *V, codec Codec[V], aliases ...string) Row[T] {
	return Row[T]{
		Name: name, Aliases: aliases, Args: 1, Want: codec.Want,
		Set: func(t *T, _ bool, words []string, c Context) (err error) {
			*field(t), err = codec.Parse(words[0], c)
			return err
		},
		Get: func(t *T, f nf.Family) (bool, string, bool) {
			var zero V
			v := *field(t)
			if v == zero {
				return false, "", false
			}
			return false, codec.Print(v, f), true
		},
	}
}

// Flag is an option without a word.
func Flag[T any](name string, field func(*T) *bool, aliases ...string) Row[T] {
	return Row[T]{
		Name: name, Aliases: aliases,
		Set: func(t *T, _ bool, _ []string, _ Context) error {
			*field(t) = true
			return nil
		},
		Get: func(t *T, _ nf.Family) (bool, string, bool) { return false, "", *field(t) },
	}
}
