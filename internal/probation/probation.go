// Package probation puts a new program beside the one in force, so that the
// kernel itself can go back: every base chain that changes begins with a rule
// that leads to its new form for as long as an element is in a set, and the
// element has a timeout.
//
//	chain INPUT {                              chain INPUT.try {
//	    meta mark & 0x0 == @gh.probation           … the new rules …
//	        goto INPUT.try                         goto INPUT.try-end
//	    … the old rules, untouched …           }
//	}                                          chain INPUT.try-end { counter drop }
//
// The condition is a constant, looked up: the mark under an empty mask, which is
// how nft prints and loads it. After a goto the end of a chain, and RETURN, give
// the base chain's policy, which is the old one; so the new rules end in their
// own policy, as a rule that counts, and RETURN goes there.
package probation

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// Set is the name of the set that says, by having an element, that the new rules
// are in force. Every table that changes has one.
const Set = "gh.probation"

// The parts of a chain's new form beside its rules.
const (
	partEnd  = "-end"  // the policy
	partGoto = "-goto" // a GOTO of a base chain, whose end must not be the old policy
	partGone = "-gone" // the chain is not in the new program
	partSet  = "-set"  // the set is not in the new program
)

// Errors of what cannot be put on probation; both are tested with errors.Is.
var (
	ErrHook = errors.New("a base chain changes its hook, type or priority")
	ErrMap  = errors.New("a chain that changes, or leads to one, goes on by a verdict map")
	ErrSet  = errors.New("a set's elements change")
)

// NewSet is the set, without its element.
func NewSet() *program.Set {
	return &program.Set{
		Name: Set, Flags: program.SetTimeout, KeyType: uint32(program.TypeMark), KeyLen: 4, Size: 1, Host: true,
	}
}

// Key is the key of its element.
const Key = "\x00\x00\x00\x00"

// switchExprs are the condition and the way of the rule that leads to a new form.
func switchExprs(to string) []program.Expr {
	return []program.Expr{
		program.Meta{Key: program.MetaMark, Reg: 1},
		program.Bitwise{Src: 1, Dst: 1, Len: 4, Mask: program.Host32(0), Xor: program.Host32(0)},
		program.Lookup{Name: Set, Reg: 1},
		program.Verdict{Kind: program.NFTGoto, Chain: to},
	}
}

// isSwitch says whether a rule leads to a new form.
func isSwitch(r *program.Rule) bool {
	n := len(r.Exprs)
	if n != 4 {
		return false
	}
	l, ok := r.Exprs[n-2].(program.Lookup)
	return ok && l.Name == Set
}

// Join is a program that holds both: what old has, as it is, and what want has
// beside it. Neither is paged, and both are as the model is compiled; a table of
// old that want does not name stays. Nothing is in force of want before the sets
// have their elements.
func Join(old, want *program.Program) (*program.Program, error) {
	out := &program.Program{Tables: slices.Clone(old.Tables)}
	for _, t := range want.Tables {
		i := slices.IndexFunc(out.Tables, func(o *program.Table) bool { return o.Family == t.Family && o.Name == t.Name })
		if i < 0 {
			out.Tables = append(out.Tables, &program.Table{Family: t.Family, Name: t.Name, UserData: t.UserData, Flags: t.Flags})
			i = len(out.Tables) - 1
		}
		j := joiner{old: out.Tables[i], want: t, names: map[string]string{}, dirty: map[string]bool{}}
		joined, err := j.table()
		if err != nil {
			return nil, fmt.Errorf("table %v %s: %w", t.Family, t.Name, err)
		}
		out.Tables[i] = joined
	}
	return out, nil
}

// joiner joins one table.
type joiner struct {
	old, want *program.Table
	dirty     map[string]bool   // chains of want that need a form of their own
	names     map[string]string // what that is called, by chain
	taken     map[string]bool
	out       *program.Table
}

func (j *joiner) table() (*program.Table, error) {
	if err := j.find(); err != nil {
		return nil, err
	}
	var gone []*program.Chain
	for _, c := range j.old.Chains {
		if j.want.Chain(c.Name) == nil && !c.Keep {
			gone = append(gone, c)
		}
	}
	less, more, err := j.sets()
	if err != nil || len(j.dirty)+len(gone)+len(less)+len(more) == 0 {
		return j.old, err
	}
	j.name(gone)
	t := *j.old
	j.out = &t
	t.Chains = nil
	for _, c := range j.old.Chains {
		if c.Base && (j.dirty[c.Name] || slices.Contains(gone, c)) {
			c = j.switched(c, false)
		}
		t.Chains = append(t.Chains, c)
	}
	for _, c := range j.want.Chains {
		if !j.dirty[c.Name] {
			continue
		}
		if c.Base && j.old.Chain(c.Name) == nil {
			t.Chains = append(t.Chains, j.switched(&program.Chain{
				Name: c.Name, Base: true, Hook: c.Hook, Policy: program.NFAccept, Counted: c.Counted, UserData: c.UserData,
			}, true))
		}
		t.Chains = append(t.Chains, j.form(c)...)
	}
	for _, c := range gone {
		t.Chains = append(t.Chains, j.gone(c)...)
	}
	for _, s := range less {
		t.Chains = append(t.Chains, &program.Chain{
			Name: j.free(s.Name + ".try"), UserData: userdata.Chain{Try: s.Name, Part: partSet}.String(),
		})
	}
	// The sets behind ours are younger, and by that known as the new program's.
	t.Sets = append(append(slices.Clone(j.old.Sets), NewSet()), more...)
	return &t, nil
}

// sets are those that only old has, and those that only want has.
func (j *joiner) sets() (less, more []*program.Set, err error) {
	for _, s := range j.want.Sets {
		switch o := j.old.Set(s.Name); {
		case o == nil:
			more = append(more, s)
		case !s.Keep && !o.Unread && !maps.Equal(written(o), written(s)):
			return nil, nil, fmt.Errorf("set %s: %w", s.Name, ErrSet)
		}
	}
	for _, o := range j.old.Sets {
		if j.want.Set(o.Name) == nil {
			less = append(less, o)
		}
	}
	return less, more, nil
}

// written is what somebody wrote into a set, without what packets and time change.
func written(s *program.Set) map[program.Element]bool {
	out := make(map[program.Element]bool, len(s.Elements))
	for _, e := range s.Elements {
		e.Packets, e.Bytes, e.Left = 0, 0, 0
		out[e] = true
	}
	return out
}

// find finds the chains of want that old does not have as they are, and those
// that lead to one.
func (j *joiner) find() error {
	for _, c := range j.want.Chains {
		o := j.old.Chain(c.Name)
		if o != nil && o.Base && (!c.Base || o.Hook != c.Hook) || o != nil && !o.Base && c.Base {
			return fmt.Errorf("chain %s: %w", c.Name, ErrHook)
		}
		if o == nil || o.Policy != c.Policy || !c.Keep && !slices.EqualFunc(o.Rules, c.Rules, (*program.Rule).Same) {
			j.dirty[c.Name] = true
		}
	}
	for again := true; again; {
		again = false
		for _, c := range j.want.Chains {
			if !j.dirty[c.Name] && j.leads(c) {
				j.dirty[c.Name], again = true, true
			}
		}
	}
	for _, c := range j.want.Chains {
		for _, r := range c.Rules {
			for _, e := range r.Exprs {
				if l, ok := e.(program.Lookup); ok && l.Map && j.dirty[c.Name] {
					return fmt.Errorf("chain %s: %w", c.Name, ErrMap)
				}
			}
		}
	}
	return nil
}

// leads says whether a chain goes on to one that changes.
func (j *joiner) leads(c *program.Chain) bool {
	return slices.ContainsFunc(c.Rules, func(r *program.Rule) bool {
		for to := range r.Jumps {
			if j.dirty[to] {
				return true
			}
		}
		return false
	})
}

// name finds names for new forms.
func (j *joiner) name(gone []*program.Chain) {
	j.taken = map[string]bool{}
	for _, t := range []*program.Table{j.old, j.want} {
		for _, c := range t.Chains {
			j.taken[c.Name] = true
		}
	}
	for _, c := range j.want.Chains {
		if j.dirty[c.Name] {
			j.names[c.Name] = j.free(c.Name + ".try")
		}
	}
	for _, c := range gone {
		j.names[c.Name] = j.free(c.Name + ".try")
	}
}

// free is a name like this one that nobody has.
func (j *joiner) free(name string) string {
	for n := name; ; n += "." {
		if !j.taken[n] {
			j.taken[n] = true
			return n
		}
	}
}

// switched is a base chain that leads to its new form first.
func (j *joiner) switched(c *program.Chain, fresh bool) *program.Chain {
	s := *c
	first := &program.Rule{Exprs: switchExprs(j.names[c.Name]), UserData: userdata.Switch(fresh)}
	s.Rules = append([]*program.Rule{first}, c.Rules...)
	return &s
}

// form are a chain's new form and what belongs to it.
func (j *joiner) form(c *program.Chain) []*program.Chain {
	name := j.names[c.Name]
	f := &program.Chain{Name: name, UserData: said(c, "")}
	if !c.Base {
		for _, r := range c.Rules {
			f.Rules = append(f.Rules, j.rule(r, nil))
		}
		return []*program.Chain{f}
	}
	end := j.end(c, program.Counter{Packets: c.Packets, Bytes: c.Bytes}, c.Policy)
	b := &base{j: j, of: c, end: end.Name, out: []*program.Chain{f, end}, ways: map[string]string{}}
	for _, r := range c.Rules {
		f.Rules = append(f.Rules, j.rule(r, b))
	}
	f.Rules = append(f.Rules, &program.Rule{Exprs: []program.Expr{program.Verdict{Kind: program.NFTGoto, Chain: end.Name}}})
	return b.out
}

// end is the chain that a base chain's new form ends in.
func (j *joiner) end(c *program.Chain, n program.Counter, policy program.VerdictKind) *program.Chain {
	return &program.Chain{
		Name: j.free(j.names[c.Name] + partEnd), UserData: said(c, partEnd),
		Rules: []*program.Rule{{Exprs: []program.Expr{n, program.Verdict{Kind: policy}}}},
	}
}

// gone are the new form of a chain that is not there any more: a base chain's lets
// everything pass, and a user chain's only says so.
func (j *joiner) gone(c *program.Chain) []*program.Chain {
	f := &program.Chain{Name: j.names[c.Name], UserData: said(c, partGone)}
	if c.Base {
		f.Rules = []*program.Rule{{Exprs: []program.Expr{program.Verdict{Kind: program.NFAccept}}}}
	}
	return []*program.Chain{f}
}

// said is a new form's userdata.
func said(c *program.Chain, part string) string {
	name := ""
	if part == "" {
		name = userdata.DecodeChain(c.UserData).Name
	}
	return userdata.Chain{Try: c.Name, Part: part, Name: name}.String()
}

// base is the new form of a base chain under construction.
type base struct {
	j    *joiner
	of   *program.Chain
	end  string
	out  []*program.Chain
	ways map[string]string // the chains that stand for a GOTO, by where it goes
}

// rule is a rule of a new form: it goes to other new forms; in a base chain's b is
// not nil, and RETURN and GOTO end in the new policy.
func (j *joiner) rule(r *program.Rule, b *base) *program.Rule {
	s := &program.Rule{Exprs: slices.Clone(r.Exprs), UserData: r.UserData, Compat: r.Compat, Line: r.Line}
	for i, e := range s.Exprs {
		v, ok := e.(program.Verdict)
		if !ok {
			continue
		}
		if to, ok := j.names[v.Chain]; ok && v.Chain != "" && j.dirty[v.Chain] {
			v.Chain = to
		}
		switch {
		case b == nil:
		case v.Kind == program.NFTReturn:
			v = program.Verdict{Kind: program.NFTGoto, Chain: b.end}
		case v.Kind == program.NFTGoto:
			v.Chain = b.way(v.Chain)
		}
		s.Exprs[i] = v
	}
	return s
}

// way is a chain that jumps somewhere and then ends in the new policy.
func (b *base) way(to string) string {
	if name, ok := b.ways[to]; ok {
		return name
	}
	name := b.j.free(b.j.names[b.of.Name] + partGoto)
	b.ways[to] = name
	b.out = append(b.out, &program.Chain{
		Name: name, UserData: said(b.of, partGoto),
		Rules: []*program.Rule{
			{Exprs: []program.Expr{program.Verdict{Kind: program.NFTJump, Chain: to}}},
			{Exprs: []program.Expr{program.Verdict{Kind: program.NFTGoto, Chain: b.end}}},
		},
	})
	return name
}
