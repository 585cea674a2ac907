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

	// IPSets are the places of the names of ipsets in a value, in the order of the
	// struct's fields, which hold xt.NoIPSet; nil: the extension knows no ipsets.
	IPSets func(t *T) []*string

	// Encode is the revision and the struct as bytes.
	Encode func(t T, env program.Env) (rev uint8, info string)
	// Decode reads what Encode, or iptables, may have made; ok is false for
	// anything that T cannot say.
	Decode func(rev uint8, info string, env program.Env) (t T, ok bool)
	// Loose says that Decode leaves aside bytes that iptables sets and the kernel
	// does not look at: the struct is then read as if it were Encode's.
	Loose bool
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
	sets := s.ipSets(&t)
	if s.XT.Target {
		c.Add(program.XTTarget{Name: s.xtName(), Rev: uint32(rev), Info: info, IPSets: sets})
	} else {
		c.Add(program.XTMatch{Name: s.xtName(), Rev: uint32(rev), Info: info, IPSets: sets})
	}
	return nil
}

// ipSets are the names of the ipsets in t.
func (s *Spec[T]) ipSets(t *T) string {
	if s.XT.IPSets == nil {
		return ""
	}
	var names []string
	for _, name := range s.XT.IPSets(t) {
		names = append(names, *name)
	}
	return program.IPSetNames(names...)
}

// nameIPSets puts names into t; ok is false where they are not as many.
func (s *Spec[T]) nameIPSets(t *T, joined string) (ok bool) {
	if s.XT.IPSets == nil {
		return joined == ""
	}
	places := s.XT.IPSets(t)
	names, ok := program.SplitIPSets(joined, len(places))
	if !ok {
		return false
	}
	for i, name := range names {
		*places[i] = name
	}
	return true
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

// KernelForm adds v to c as the kernel's own extension; ok is false where there
// is none.
func (s *Spec[T]) KernelForm(v any, c *program.Code) (ok bool, err error) {
	t, is := v.(T)
	if !is || s.XT == nil {
		return false, nil
	}
	return true, s.Kernel(c, t)
}

// readXT takes the kernel's extension off a program.
func (s *Spec[T]) readXT(r *program.Reader) (t T, ok bool) {
	var name, info, sets string
	var rev uint32
	switch e := r.Item(0).(type) {
	case program.XTMatch:
		if s.XT.Target {
			return t, false
		}
		name, rev, info, sets = e.Name, e.Rev, e.Info, e.IPSets
	case program.XTTarget:
		if !s.XT.Target {
			return t, false
		}
		name, rev, info, sets = e.Name, e.Rev, e.Info, e.IPSets
	}
	if name != s.xtName() || rev > 255 {
		return t, false
	}
	if t, ok = s.XT.Decode(uint8(rev), info, r.Env); !ok || !s.nameIPSets(&t, sets) {
		return t, false
	}
	if s.XT.Loose {
		s.tidy(r, t)
	}
	r.Take(1)
	return t, true
}

// tidy puts what Encode makes of t in the place of what t was read from.
func (s *Spec[T]) tidy(r *program.Reader, t T) {
	rev, info := s.XT.Encode(t, r.Env)
	switch e := r.Item(0).(type) {
	case program.XTMatch:
		e.Rev, e.Info = uint32(rev), info
		r.Put(e)
	case program.XTTarget:
		e.Rev, e.Info = uint32(rev), info
		r.Put(e)
	}
}
