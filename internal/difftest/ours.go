package difftest

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Ours is what we make of a line: the rules as iptables-save -c prints them
// without "-A" and their chain, or why we refuse it.
func Ours(l Line) (saved []string, err error) {
	rules, err := rule.ParseLine(l.Text, l.Family)
	if err != nil {
		return nil, err
	}
	id, ok := table.Named(l.Table)
	if !ok {
		return nil, fmt.Errorf("no table: %q", l.Table)
	}
	t := table.New(id.For(l.Family))
	if l.Chain == UserChain {
		t = t.WithChain(chain.New(UserChain, rules...))
	} else {
		t = t.WithChain(chain.BuiltIn(l.Chain, chain.Accept, rules...)).WithChain(chain.New(UserChain))
	}
	for _, name := range LeafChains {
		t = t.WithChain(chain.New(name))
	}
	if err := table.NewRuleset(t).Err(); err != nil {
		return nil, err
	}
	env := program.Env{Family: program.IP, Table: l.Table, Plain: true}
	if l.Family == nf.IPv6 {
		env.Family = program.IP6
	}
	for _, r := range rules {
		if _, err := compile.Rule(r, env, true, 0); err != nil {
			return nil, err
		}
		n := r.Counters()
		saved = append(saved, fmt.Sprintf("[%d:%d] %s", n.Packets, n.Bytes, r))
	}
	return saved, nil
}
