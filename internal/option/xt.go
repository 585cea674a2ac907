package option

import (
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/xt"
)

// XT is the form of an extension as the kernel's own xt match or target: what
// iptables-nft writes for nearly all of them, and what there is where nf_tables
// has nothing that does exactly the same.
type XT[T any] struct {
	Name   string   // the kernel's name where it is not the extension's
	Target bool     // a target's; false: a match's
	Inet   bool     // inet tables have it as well: the kernel registers it for no family in particular
	Tables []string // names of the tables that the kernel ties it to; nil: any

	// Encode is the revision and the struct as bytes.
	Encode func(t T, env program.Env) (rev uint8, info string)
	// Decode reads what Encode, or iptables, may have made; ok is false for
	// anything that T cannot say.
	Decode func(rev uint8, info string, env program.Env) (t T, ok bool)
}

// XTStruct completes x, whose functions are nil, for an extension whose struct is
// B in one revision.
func XTStruct[T, B any](x XT[T], rev uint8, encode func(T, program.Env) B, decode func(B, program.Env) (T, bool)) *XT[T] {
	x.Encode = func(t T, env program.Env) (uint8, string) { return rev, xt.Encode(encode(t, env)) }
	x.Decode = func(r uint8, info string, env program.Env) (t T, ok bool) {
		b, ok := xt.Decode[B](info)
		if !ok || r != rev {
			return t, false
		}
		return decode(b, env)
	}
	return &x
}

// name is what the kernel calls the extension.
func (s *Spec[T]) xtName() string {
	if s.XT.Name != "" {
		return s.XT.Name
	}
	return s.Name
}

// Kernel adds t to c as the kernel's own extension. Where the kernel has none for
// the table the error is *program.InexactError.
func (s *Spec[T]) Kernel(c *program.Code, t T) error {
	tied := s.XT.Tables != nil && (!c.Env.Plain || !slices.Contains(s.XT.Tables, c.Env.Table))
	switch {
	case tied:
		return &program.InexactError{
			Extension: s.Name,
			Why:       "nf_tables has no form of it, and the kernel ties its own to the table name " + strings.Join(s.XT.Tables, " or "),
			Hint:      "the owner iptables has the table of that name",
		}
	case c.Env.Family == program.Inet && !s.XT.Inet:
		return program.NotInInet(s.Name)
	}
	rev, info := s.XT.Encode(t, c.Env)
	if s.XT.Target {
		c.Add(program.XTTarget{Name: s.xtName(), Rev: uint32(rev), Info: info})
	} else {
		c.Add(program.XTMatch{Name: s.xtName(), Rev: uint32(rev), Info: info})
	}
	return nil
}

// Shared adds v to c as iptables-nft does in a table that it shares; ok is false
// where the value's own Compile sees to that.
func (s *Spec[T]) Shared(v any, c *program.Code) (ok bool, err error) {
	t, is := v.(T)
	if !is || s.XT == nil || s.SharedNative {
		return false, nil
	}
	return true, s.Kernel(c, t)
}

// readXT takes the kernel's extension off a program.
func (s *Spec[T]) readXT(r *program.Reader) (t T, ok bool) {
	var name, info string
	var rev uint32
	switch e := r.Item(0).(type) {
	case program.XTMatch:
		if s.XT.Target {
			return t, false
		}
		name, rev, info = e.Name, uint32(e.Rev), e.Info
	case program.XTTarget:
		if !s.XT.Target {
			return t, false
		}
		name, rev, info = e.Name, uint32(e.Rev), e.Info
	}
	if name != s.xtName() || rev > 255 {
		return t, false
	}
	if t, ok = s.XT.Decode(uint8(rev), info, r.Env); ok {
		r.Take(1)
	}
	return t, ok
}
