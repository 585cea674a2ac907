// Package rule is one rule: what a packet must be (package match) and what then
// happens to it (package target).
//
// A Rule is an immutable value, made by New or Parse; any number of goroutines
// may use it. What cannot be programmed is found when the rule is made and
// reported where the rule is used, with its chain and number: see Err.
package rule

import (
	"iter"
	"slices"

	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Rule is one rule. The zero value matches every packet and only counts it, like "-A INPUT" alone.
type Rule struct {
	matches  []match.Match // normal form: header matches first, by slot; never changed
	target   target.Target // nil: target.None
	family   nf.Family
	counters nf.Counters
	preset   bool
	err      error
}

// New makes a rule that does t to the packets that every match accepts. The
// rule is brought to its normal form: header matches in iptables' order, the
// implied -p added, values as the kernel keeps them. What is wrong with it is
// Err's to say.
func New(t target.Target, matches ...match.Match) Rule {
	b := builder{imply: true}
	for _, m := range matches {
		b.add(m)
	}
	return b.rule(t)
}

// Accept is New(target.Accept, matches...); Drop, Return, Jump, Goto and Count are alike.
func Accept(matches ...match.Match) Rule { return New(target.Accept, matches...) }

// Drop drops what every match accepts.
func Drop(matches ...match.Match) Rule { return New(target.Drop, matches...) }

// Return goes back to the calling chain.
func Return(matches ...match.Match) Rule { return New(target.Return, matches...) }

// Count only counts.
func Count(matches ...match.Match) Rule { return New(target.None, matches...) }

// Jump goes to a user chain.
func Jump(chain string, matches ...match.Match) Rule { return New(target.Jump(chain), matches...) }

// Goto goes to a user chain whose end returns to the caller's caller.
func Goto(chain string, matches ...match.Match) Rule { return New(target.Goto(chain), matches...) }

// Find returns the first match of type M: Find[match.TCP](r).
func Find[M match.Match](r Rule) (m M, ok bool) {
	for _, x := range r.matches {
		if m, ok := x.(M); ok {
			return m, true
		}
	}
	return m, false
}

// Comment is the text of the first comment match, or "".
func (r Rule) Comment() string {
	c, _ := Find[match.Comment](r)
	return string(c)
}

// Counters are what the kernel counted when the rule was read, or what -c presets.
func (r Rule) Counters() nf.Counters { return r.counters }

// Preset says whether the rule's counters were set by -c or WithCounters.
func (r Rule) Preset() bool { return r.preset }

// WithCounters is the same rule with preset counters.
func (r Rule) WithCounters(c nf.Counters) Rule {
	r.counters, r.preset = c, true
	return r
}

// Equal says whether two rules have the same matches in the same order and the
// same target: what iptables -D compares. Counters are not looked at.
func (r Rule) Equal(s Rule) bool {
	return r.Target() == s.Target() && slices.Equal(r.matches, s.matches)
}

// Err says why the rule cannot be programmed, or nil.
func (r Rule) Err() error { return r.err }

// Family is the narrowest family that the rule's parts allow.
func (r Rule) Family() nf.Family { return r.family }

// Matches yields the matches in order, header matches first.
func (r Rule) Matches() iter.Seq[match.Match] { return slices.Values(r.matches) }

// Opaque says whether part of the rule is held as raw expressions.
func (r Rule) Opaque() bool {
	if _, ok := r.target.(target.Raw); ok {
		return true
	}
	return slices.ContainsFunc(r.matches, func(m match.Match) bool {
		_, ok := m.(match.Raw)
		return ok
	})
}

// Target is what happens to the packet; never nil.
func (r Rule) Target() target.Target {
	if r.target == nil {
		return target.None
	}
	return r.target
}

// In is the rule as it stands in a table for family f: a -4 or -6 that says no
// more than the table does is dropped, and one that only the command said (Parse
// for one family) is put in where the table is for both. A rule of another family
// has an error.
func (r Rule) In(f nf.Family) Rule {
	g, ok := r.family.And(f)
	if !ok && r.err == nil {
		r.err = &familyError{r.family, f}
	}
	switch {
	case !ok:
		return r
	case f == nf.Both:
		return r.said()
	}
	r.family = g
	if len(r.matches) > 0 { // a -4 or -6 stands first: see match.Header
		if _, ok := r.matches[0].(match.Version); ok {
			r.matches = r.matches[1:]
		}
	}
	return r
}

// said is the rule with a -4 or -6 where it is for one family and no part of it
// says so.
func (r Rule) said() Rule {
	if r.family == nf.Both {
		return r
	}
	for _, m := range r.matches {
		f := nf.Both
		if h, ok := m.(match.Header); ok {
			f = h.Family()
		} else {
			f = match.Extension(m).NeedsOf(m).Family
		}
		if f != nf.Both {
			return r
		}
	}
	if e := target.Extension(r.Target()); e != nil && e.NeedsOf(r.target).Family != nf.Both {
		return r
	}
	r.matches = slices.Insert(slices.Clone(r.matches), 0, match.Match(match.Only(r.family)))
	return r
}

// Retarget is the rule with its jump or goto to chain from going to chain to;
// any other rule is itself.
func (r Rule) Retarget(from, to string) Rule {
	switch r.target {
	case target.Jump(from):
		r.target = target.Jump(to)
	case target.Goto(from):
		r.target = target.Goto(to)
	}
	return r
}
