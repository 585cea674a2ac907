package compile

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
)

// Keeper has the programs of rules that are written back to the byte: those that
// are opaque, and, in the tables that are shared with iptables-nft, those that
// nft or another release of iptables-nft spelled otherwise than we would.
type Keeper struct{ rules map[keptKey][]*program.Rule }

// keptKey is a rule by what it reads as. Rules that read alike are told apart by
// their order.
type keptKey struct {
	family             program.Family
	table, chain, text string
}

// chain keeps what is to be kept of a chain: opaque rules, or, where all is true,
// every rule, so that those that read alike can be told apart.
func (k *Keeper) chain(env program.Env, c readChain, programs []*program.Rule, all bool) {
	for i, r := range c.rules {
		if all || r.Opaque() {
			key := keptKey{env.Family, env.Table, c.Name(), r.String()}
			k.rules[key] = append(k.rules[key], programs[i])
		}
	}
}

// keeping gives kept programs out, to each ruleset that is compiled once.
type keeping struct {
	ask   func() *Keeper
	given map[keptKey]int
}

// program is a copy of the program that is kept of a rule, with the rule's
// counters; nil where there is none.
func (k *keeping) program(env program.Env, chain string, r rule.Rule) *program.Rule {
	if k.ask == nil || !env.Plain && !r.Opaque() {
		return nil
	}
	rules := k.ask().rules
	if len(rules) == 0 {
		return nil
	}
	key := keptKey{env.Family, env.Table, chain, r.String()}
	same := rules[key]
	if len(same) == 0 {
		return nil
	}
	i := k.given[key]
	switch {
	case i < len(same):
	case r.Opaque():
		i = len(same) - 1
	default:
		return nil
	}
	if k.given == nil {
		k.given = map[keptKey]int{}
	}
	k.given[key] = i + 1
	n := r.Counters()
	p := &program.Rule{Exprs: same[i].Exprs, UserData: same[i].UserData, Compat: keptCompat(same[i].Exprs, env)}
	return p.WithCounts(program.Counter{Packets: n.Packets, Bytes: n.Bytes})
}
