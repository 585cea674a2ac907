package image

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/page"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Rule is a rule in the kernel.
type Rule struct {
	flags Flags // and the handle
	print Print
}

// Flags are what else is known of a rule, beside its handle. Handles are counted from
// 1 by the table; the highest bits are free.
type Flags uint64

const (
	stays  Flags = 1 << (63 - iota) // it must be in the spine
	named                           // it looks up a list that has a name, which goes with its last rule
	list                            // it looks up a list of single keys of its own
	jumps                           // it jumps, and does nothing else: to a page, it may be
	leads                           // it jumps or goes to another chain
	placed                          // it is for packets of some built-in chains only
)

const flagBits = stays | named | list | jumps | leads | placed

// Handle is the kernel's.
func (r Rule) Handle() uint64 { return uint64(r.flags &^ flagBits) }

func (r Rule) is(f Flags) bool { return r.flags&f != 0 }

// flagsOf are what a program shows; to is where it leads.
func flagsOf(p *program.Rule, r rule.Rule) (f Flags, to string) {
	if page.Stays(p) {
		f |= stays
	}
	for to = range p.Jumps {
		f |= leads
		break
	}
	if page.SpineJump(p) != "" {
		f |= jumps
	}
	for _, e := range p.Exprs {
		l, ok := e.(program.Lookup)
		switch {
		case !ok || l.Const == (program.ConstSet{}):
		case l.Name != "":
			f |= named
		case !l.Const.Interval:
			f |= list
		}
	}
	for n := range Needs(r) {
		if n.Chains != nil {
			f |= placed
		}
	}
	return f, to
}

// Needs yields what a rule's matches and its target ask of its place.
func Needs(r rule.Rule) func(func(option.Needs) bool) {
	return func(yield func(option.Needs) bool) {
		for m := range r.Matches() {
			if e := match.Extension(m); e != nil && !yield(e.NeedsOf(m)) {
				return
			}
		}
		if e := target.Extension(r.Target()); e != nil {
			yield(e.NeedsOf(r.Target()))
		}
	}
}
