package option

import (
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// ExtName is the name after -m or -j.
func (s *Spec[T]) ExtName() string { return s.Name }

// Known says whether the family's command has the extension.
func (s *Spec[T]) Known(f nf.Family) bool {
	_, ok := s.Families.And(f)
	return ok
}

// Options are all options.
func (s *Spec[T]) Options() []Option {
	out := make([]Option, len(s.Rows))
	for i := range s.Rows {
		out[i] = s.option(i)
	}
	return out
}

// option is a row without its functions.
func (s *Spec[T]) option(i int) Option {
	row := &s.Rows[i]
	return Option{Name: row.Name, Aliases: row.Aliases, Args: row.Args, Optional: row.Optional, Invert: row.Invert, Want: row.Want, Index: i}
}

// Start begins a value.
func (s *Spec[T]) Start(c Context) Instance {
	in := &instance[T]{spec: s}
	if s.Default != nil {
		in.v = s.Default(c)
	}
	return in
}

// Normal is the value in its normal form.
func (s *Spec[T]) Normal(v any, c Context) (any, error) {
	t, ok := v.(T)
	if !ok || s.Check == nil {
		return v, nil
	}
	normal := t
	if err := s.Check(&normal, c); err != nil {
		return nil, &Error{Extension: s.Name, Err: err}
	}
	if normal == t { // as most are, and need no new copy
		return v, nil
	}
	return normal, nil
}

// NeedsOf is what the value asks of its rule.
func (s *Spec[T]) NeedsOf(v any) Needs {
	var n Needs
	if t, ok := v.(T); ok && s.Needs != nil {
		n = s.Needs(t)
	}
	if n.Family == nf.Both {
		n.Family = s.Families
	}
	return n
}

// Text is the value's options as iptables-save prints them.
func (s *Spec[T]) Text(v any, f nf.Family) string {
	t, ok := v.(T)
	if !ok {
		return ""
	}
	var room [64]byte // what most values need
	b := room[:0]
	for i := range s.Rows {
		row := &s.Rows[i]
		if row.Get == nil {
			continue
		}
		not, text, ok := row.Get(&t, f)
		if !ok {
			continue
		}
		if len(b) > 0 {
			b = append(b, ' ')
		}
		if not {
			b = append(b, "! "...)
		}
		b = append(b, row.Name...)
		if text != "" {
			b = append(b, ' ')
			b = append(b, text...)
		}
	}
	return string(b)
}

// ListText is what iptables -L prints for the value.
func (s *Spec[T]) ListText(v any, l *Lister) string {
	t, ok := v.(T)
	if !ok || s.List == nil {
		return ""
	}
	return s.List(t, l)
}

// ReadFrom takes a value off a program.
func (s *Spec[T]) ReadFrom(r *program.Reader) (any, bool) {
	pos := r.Pos()
	if s.XT != nil {
		if t, ok := s.readXT(r); ok {
			return t, true
		}
		r.Seek(pos)
	}
	if s.Read == nil {
		return nil, false
	}
	t, ok := s.Read(r)
	if !ok {
		r.Seek(pos)
		return nil, false
	}
	return t, true
}

type instance[T comparable] struct {
	spec *Spec[T]
	v    T
	seen uint64 // rows that were set
}

func (in *instance[T]) Value() any { return in.v }

func (in *instance[T]) Option(word string) (Option, bool) {
	found := -1
	for i := range in.spec.Rows {
		row := &in.spec.Rows[i]
		if row.Name == word || contains(row.Aliases, word) {
			return in.spec.option(i), true
		}
		if strings.HasPrefix(word, "--") && len(word) > 2 && begins(row.Name, row.Aliases, word) {
			switch {
			case found < 0:
				found = i
			case found == len(in.spec.Rows) || in.spec.Rows[found].Name != row.Name:
				found = len(in.spec.Rows) // ambiguous
			}
		}
	}
	if found < 0 || found == len(in.spec.Rows) {
		return Option{}, false
	}
	return in.spec.option(found), true
}

func (in *instance[T]) Begin(word string) (n int) {
	for i := range in.spec.Rows {
		row := &in.spec.Rows[i]
		again := func(r Row[T]) bool { return r.Name == row.Name } // only to be printed once more
		if begins(row.Name, row.Aliases, word) && !slices.ContainsFunc(in.spec.Rows[:i], again) {
			n++
		}
	}
	return n
}

func (in *instance[T]) Set(o Option, not bool, words []string, c Context) error {
	row := &in.spec.Rows[o.Index]
	fail := func(err error) error {
		return &Error{Extension: in.spec.Name, Option: row.Name, Token: strings.Join(words, " "), Want: row.Want, Err: err}
	}
	bit := uint64(1) << o.Index
	switch {
	case in.seen&bit != 0 && !row.Many:
		return fail(ErrOnce)
	case not && !row.Invert:
		return fail(ErrNoInvert)
	}
	in.seen |= bit
	if err := row.Set(&in.v, not, words, c); err != nil {
		return fail(err)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func begins(name string, aliases []string, word string) bool {
	if strings.HasPrefix(name, word) {
		return true
	}
	for _, a := range aliases {
		if strings.HasPrefix(a, word) {
			return true
		}
	}
	return false
}
