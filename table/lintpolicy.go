package table

import (
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// oneSided is which rules of a chain in a table for both are for IPv4 only by
// what they match, where the chain has no rule of the same target for IPv6. -4
// says it on purpose, and so does an ICMP match.
func (l *linter) oneSided(c chain.Chain) map[int]bool {
	if l.t.id.Family() != nf.Both {
		return nil
	}
	four := map[int]bool{}
	six := map[target.Target]bool{}
	for n, r := range c.Rules() {
		switch r.Family() {
		case nf.IPv6:
			six[r.Target()] = true
		case nf.IPv4:
			if _, said := rule.Find[match.Version](r); !said && addressed(r) {
				four[n] = true
			}
		}
	}
	for n := range four {
		if r, _ := c.Rule(n); six[r.Target()] {
			delete(four, n)
		}
	}
	return four
}

// addressed says whether a rule has an address, which is what restricts it.
func addressed(r rule.Rule) bool {
	_, ok := rule.Find[match.Address](r)
	return ok
}

// policy looks at a policy and at what it would drop.
func (l *linter) policy(c chain.Chain) {
	if p, ok := c.Policy(); !ok || p != chain.Drop {
		return
	}
	if l.t.id&kindMask == NAT {
		l.warn(c, 0, "policy DROP: nat sees the first packet of a connection only, and is not for filtering")
		return
	}
	if l.t.id&kindMask != Filter || c.Name() == chain.Forward {
		return
	}
	accepts := l.accepted(c)
	if !accepts.loopback {
		l.warn(c, 0, "policy DROP, and no rule accepts loopback (-i lo or -o lo): the host cannot talk to itself")
	}
	if l.t.id.Family().Has(nf.IPv6) && !accepts.neighbours {
		l.warn(c, 0, "policy DROP, and no rule accepts neighbour discovery: IPv6 is dead (see rule.NeighborDiscovery)")
	}
}

// accepts is what a chain lets through, itself or in the chains it jumps to.
type accepts struct{ loopback, neighbours bool }

// accepted looks at a chain and at those that it leads to, each once.
func (l *linter) accepted(c chain.Chain) (a accepts) {
	seen := map[string]bool{c.Name(): true}
	todo := []chain.Chain{c}
	for len(todo) > 0 {
		c, todo = todo[len(todo)-1], todo[:len(todo)-1]
		for _, r := range c.Rules() {
			a.look(r)
			name, ok := leads(r)
			if !ok || seen[name] {
				continue
			}
			seen[name] = true
			if next, ok := l.t.Chain(name); ok {
				todo = append(todo, next)
			}
		}
	}
	return a
}

// leads is the chain that a rule goes to.
func leads(r rule.Rule) (name string, ok bool) {
	switch t := r.Target().(type) {
	case target.Jump:
		return string(t), true
	case target.Goto:
		return string(t), true
	}
	return "", false
}

// look takes note of what a rule accepts. It is generous: whatever lets some of
// it through will do, whichever way the packets come to the rule.
func (a *accepts) look(r rule.Rule) {
	if r.Target() != target.Accept {
		return
	}
	loopback, bare := false, true
	protocol, neighbours := true, r.Family().Has(nf.IPv6)
	for m := range r.Matches() {
		switch m := m.(type) {
		case match.Iface:
			name, not, _ := m.Device.Get()
			loopback, bare = name == "lo" && !not, false
		case match.Protocol:
			p, not, _ := m.Proto.Get()
			protocol = false
			neighbours = neighbours && (p == nf.ICMPv6) != not
		case match.ICMP6:
			neighbours = neighbours && solicits(m)
		case match.Version, match.Comment, match.HL:
		default:
			bare = false
		}
	}
	a.loopback = a.loopback || loopback || bare && protocol
	a.neighbours = a.neighbours || bare && neighbours
}

// solicits says whether a match takes neighbour solicitations.
func solicits(m match.ICMP6) bool {
	const solicitation = 135
	t, not, _ := m.Type.Get()
	n, one := t.Type()
	return !one || (n == solicitation) != not
}
