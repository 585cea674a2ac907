package table

import (
	"fmt"
	"iter"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Warning is something that is allowed and probably not meant.
type Warning struct {
	Table ID
	Chain string
	Rule  int // from 1; 0: the chain
	Text  string
}

// String is "filter INPUT rule 3: text".
func (w Warning) String() string {
	at := w.Table.String() + " " + w.Chain
	if w.Rule > 0 {
		at += fmt.Sprintf(" rule %d", w.Rule)
	}
	return at + ": " + w.Text
}

// Lint yields what is allowed and probably not meant:
//   - a rule that no packet can match,
//   - a rule behind one that takes every packet,
//   - a rule that is the same as an earlier one of its chain, whose packets never
//     reach it,
//   - a rule for IPv4 alone in a table for both, where none like it is for IPv6,
//   - a user chain that nothing jumps to,
//   - a policy DROP on filter's INPUT or OUTPUT without a rule that accepts what
//     comes from, or goes to, lo,
//   - one that covers IPv6 without a rule that lets neighbours be found: IPv6 is
//     dead then (see rule.NeighborDiscovery),
//   - a policy DROP in nat, whose chains see only the first packet of a connection.
//
// It looks at each rule once or twice. A ruleset for which Err is not nil may
// get warnings that make no sense.
func Lint(rs Ruleset) iter.Seq[Warning] {
	return func(yield func(Warning) bool) {
		for _, t := range rs.tables {
			l := linter{t: t, yield: yield}
			l.references = t.references()
			for _, c := range t.chains {
				l.chain(c)
				l.policy(c)
			}
			if l.stopped {
				return
			}
		}
	}
}

type linter struct {
	t          Table
	references map[string]int
	yield      func(Warning) bool
	stopped    bool
}

func (l *linter) warn(c chain.Chain, n int, text string, args ...any) {
	if !l.stopped {
		l.stopped = !l.yield(Warning{l.t.id, c.Name(), n, fmt.Sprintf(text, args...)})
	}
}

// chain looks at the rules of one chain.
func (l *linter) chain(c chain.Chain) {
	if _, ok := c.Policy(); !ok && l.references[c.Name()] == 0 && !c.Kept() {
		l.warn(c, 0, "no rule jumps to it")
	}
	var all taken
	seen := map[string]int{} // final rules by their text
	only := l.oneSided(c)
	for n, r := range c.Rules() {
		if l.stopped {
			return
		}
		if why := never(r); why != "" {
			l.warn(c, n, "no packet can match it: %s", why)
			continue
		}
		if by := all.by(r.Family()); by > 0 {
			l.warn(c, n, "no packet comes here: rule %d takes every one", by)
			continue
		}
		if final(r) {
			text := r.String()
			if first, ok := seen[text]; ok && !stateful(r) {
				l.warn(c, n, "no packet matches it that rule %d has not taken: the two are the same", first)
			} else {
				seen[text] = n
			}
		}
		if only[n] {
			l.warn(c, n, "is for IPv4 only in a table for both, and no rule like it is for IPv6")
		}
		all.add(n, r)
	}
}

// taken is which families' packets a rule has taken, and its number.
type taken struct{ v4, v6 int }

func (t *taken) add(n int, r rule.Rule) {
	if !final(r) || !everything(r) {
		return
	}
	if r.Family().Has(nf.IPv4) && t.v4 == 0 {
		t.v4 = n
	}
	if r.Family().Has(nf.IPv6) && t.v6 == 0 {
		t.v6 = n
	}
}

// by is the rule that took all packets of a family; 0: some still come.
func (t *taken) by(f nf.Family) int {
	switch {
	case f == nf.IPv4:
		return t.v4
	case f == nf.IPv6:
		return t.v6
	case t.v4 == 0 || t.v6 == 0:
		return 0
	}
	return max(t.v4, t.v6)
}

// final says whether a packet that matches goes no further in its chain.
func final(r rule.Rule) bool {
	switch t := r.Target().(type) {
	case target.Verdict:
		return t != target.None
	case target.Goto, target.Reject, target.DNAT, target.SNAT, target.Masquerade, target.Redirect:
		return true
	}
	return false
}

// everything says whether a rule matches every packet of its family.
func everything(r rule.Rule) bool {
	for m := range r.Matches() {
		switch m.(type) {
		case match.Version, match.Comment:
		default:
			return false
		}
	}
	return true
}

// stateful says whether a rule may match a packet of two that are alike.
func stateful(r rule.Rule) bool {
	for m := range r.Matches() {
		switch m.(type) {
		case match.Protocol, match.Address, match.Iface, match.LaterFragments, match.Version, match.Comment, match.TCP:
		default:
			return true
		}
	}
	return false
}

// never says why no packet can match a rule; "" where one can.
func never(r rule.Rule) string {
	for m := range r.Matches() {
		switch m := m.(type) {
		case match.Address:
			if n, not, _ := m.Net.Get(); not && n.All() {
				return m.Text() + " excludes every address"
			}
		case match.Iface:
			if name, not, _ := m.Device.Get(); not && m.Prefix && name == "" {
				return m.Text() + " excludes every interface"
			}
		case match.TCP:
			if why := neverTCP(m); why != "" {
				return why
			}
		}
	}
	return ""
}

func neverTCP(m match.TCP) string {
	for _, o := range [...]match.Opt[nf.Ports]{m.Sport, m.Dport} {
		if p, not, _ := o.Get(); not && p == nf.PortRange(0, 65535) {
			return "it excludes every port"
		}
	}
	if f, not, ok := m.Flags.Get(); ok && !not && f&0xff&^(f>>8) != 0 {
		return "--tcp-flags wants a flag that it does not look at"
	}
	return ""
}
