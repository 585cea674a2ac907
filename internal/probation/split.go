package probation

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// State says what is in force where a program is on probation.
type State uint8

const (
	None      State = iota // nothing is on probation
	Ended                  // the time is up: the old ones are in force again
	Confirmed              // the new ones are in force, for good
	Pending                // the new rules are in force, for a time
)

// Of says what is in force of a program, paged or not. Where some tables' sets
// have their element and others' have not, which a clock's tick can bring about,
// it is Pending.
func Of(p *program.Program) (state State) {
	for _, t := range p.Tables {
		if set := t.Set(Set); set != nil {
			state = max(state, stateOf(set))
		}
	}
	return state
}

// Split is what Join joined, as read and not paged. Without anything on probation
// both are p.
func Split(p *program.Program) (old, want *program.Program) {
	if Of(p) == None {
		return p, p
	}
	old, want = &program.Program{}, &program.Program{}
	for _, t := range p.Tables {
		if t.Set(Set) == nil {
			old.Tables, want.Tables = append(old.Tables, t), append(want.Tables, t)
			continue
		}
		s := splitter{t: t, forms: map[string]*program.Chain{}, parts: map[string]userdata.Chain{}}
		s.look()
		if before := s.before(); len(before.Chains) > 0 {
			old.Tables = append(old.Tables, before)
		}
		if after := s.after(); len(after.Chains) > 0 {
			want.Tables = append(want.Tables, after)
		}
	}
	return old, want
}

// stateOf is what a table's set says.
func stateOf(set *program.Set) State {
	if len(set.Elements) == 0 {
		return Ended
	}
	if e := set.Elements[0]; e.Timeout == 0 && e.Left == 0 {
		return Confirmed
	}
	return Pending
}

// splitter splits one table.
type splitter struct {
	t     *program.Table
	forms map[string]*program.Chain // new forms and what says that there is none, by the chain's name
	parts map[string]userdata.Chain // all chains that are there for a new form, by their own names
}

func (s *splitter) look() {
	for _, c := range s.t.Chains {
		ud := userdata.DecodeChain(c.UserData)
		if ud.Try == "" {
			continue
		}
		s.parts[c.Name] = ud
		if ud.Part == "" || ud.Part == partGone {
			s.forms[ud.Try] = c
		}
	}
}

// table is the table without what probation put there, and without the sets that
// are not its own.
func (s *splitter) table(others func(*program.Set) bool) *program.Table {
	t := *s.t
	t.Chains = nil
	t.Sets = slices.DeleteFunc(slices.Clone(t.Sets), func(x *program.Set) bool { return x.Name == Set || others(x) })
	return &t
}

// came says whether a set came with the new program: it is younger than ours.
func (s *splitter) came(x *program.Set) bool { return x.Handle > s.t.Set(Set).Handle }

// goes says whether a set is not in the new program.
func (s *splitter) goes(x *program.Set) bool {
	for _, ud := range s.parts {
		if ud.Part == partSet && ud.Try == x.Name {
			return true
		}
	}
	return false
}

// before is the old table.
func (s *splitter) before() *program.Table {
	t := s.table(s.came)
	for _, c := range s.t.Chains {
		if _, ok := s.parts[c.Name]; ok {
			continue
		}
		if c, fresh := unswitched(c); !fresh {
			t.Chains = append(t.Chains, c)
		}
	}
	return t
}

// unswitched is a chain without the rule that leads to its new form; fresh says
// that it was made for that rule.
func unswitched(c *program.Chain) (_ *program.Chain, fresh bool) {
	if !c.Base || len(c.Rules) == 0 || !isSwitch(c.Rules[0]) {
		return c, false
	}
	u := *c
	u.Rules = c.Rules[1:]
	return &u, userdata.SwitchFresh(c.Rules[0].UserData)
}

// after is the new table.
func (s *splitter) after() *program.Table {
	t := s.table(s.goes)
	done := map[string]bool{}
	for _, c := range s.t.Chains {
		if _, ok := s.parts[c.Name]; ok {
			continue
		}
		done[c.Name] = true
		form := s.forms[c.Name]
		switch {
		case form == nil:
			t.Chains = append(t.Chains, c)
		case s.parts[form.Name].Part == partGone:
		default:
			t.Chains = append(t.Chains, s.restore(c, form))
		}
	}
	for _, c := range s.t.Chains {
		if ud, ok := s.parts[c.Name]; ok && ud.Part == "" && !done[ud.Try] {
			t.Chains = append(t.Chains, s.restore(nil, c))
		}
	}
	return t
}

// restore is the chain that a new form stands for; is is the chain itself, nil
// where only the form is there.
func (s *splitter) restore(is, form *program.Chain) *program.Chain {
	ud := s.parts[form.Name]
	c := &program.Chain{Name: ud.Try, UserData: userdata.Chain{Name: ud.Name}.String()}
	rules := form.Rules
	if is != nil && is.Base {
		own := *is
		c = &own
		c.Rules = nil
		if n := len(rules); n > 0 { // the way to the policy
			s.policy(c, rules[n-1])
			rules = rules[:n-1]
		}
	}
	for _, r := range rules {
		c.Rules = append(c.Rules, s.rule(r))
	}
	return c
}

// policy reads a base chain's policy off the rule that leads there.
func (s *splitter) policy(c *program.Chain, last *program.Rule) {
	for name := range last.Jumps {
		end := s.t.Chain(name)
		if end == nil || len(end.Rules) != 1 {
			continue
		}
		for _, e := range end.Rules[0].Exprs {
			switch e := e.(type) {
			case program.Counter:
				c.Packets, c.Bytes = e.Packets, e.Bytes
			case program.Verdict:
				c.Policy = e.Kind
			}
		}
	}
}

// rule is a rule of a new form as it was given.
func (s *splitter) rule(r *program.Rule) *program.Rule {
	var out *program.Rule
	for i, e := range r.Exprs {
		v, ok := e.(program.Verdict)
		ud, part := s.parts[v.Chain]
		if !ok || !part {
			continue
		}
		if out == nil {
			own := *r
			out, own.Exprs = &own, slices.Clone(r.Exprs)
		}
		switch ud.Part {
		case partEnd:
			v = program.Verdict{Kind: program.NFTReturn}
		case partGoto:
			v = program.Verdict{Kind: program.NFTGoto, Chain: s.beyond(v.Chain)}
		default:
			v.Chain = ud.Try
		}
		out.Exprs[i] = v
	}
	if out == nil {
		return r
	}
	return out
}

// beyond is where a chain that stands for a GOTO leads.
func (s *splitter) beyond(way string) string {
	c := s.t.Chain(way)
	if c == nil || len(c.Rules) == 0 {
		return way
	}
	for to := range c.Rules[0].Jumps {
		if ud, ok := s.parts[to]; ok {
			return ud.Try
		}
		return to
	}
	return way
}
