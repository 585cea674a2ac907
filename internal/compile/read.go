package compile

import (
	"errors"
	"strings"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Owned says which of iptables' tables an nf_tables table is for this owner; ok
// is false for a table of somebody else's. Both halves of a table for both
// families have the family of their half.
func Owned(f program.Family, name string, o Options) (id table.ID, ok bool) {
	if !o.Plain {
		if name, ok = strings.CutPrefix(name, o.Owner+"-"); !ok {
			return 0, false
		}
	}
	for _, id := range [...]table.ID{table.Filter, table.NAT, table.Mangle, table.Raw, table.Security} {
		if id.Name() != name {
			continue
		}
		switch {
		case f == program.IP:
			return id.IPv4(), true
		case f == program.IP6:
			return id.IPv6(), true
		case f == program.Inet && !o.Plain:
			return id, true
		}
	}
	return 0, false
}

// half is one nf_tables table as it was read.
type half struct {
	id     table.ID
	split  bool
	chains []readChain
	sets   []readSet
}

type readChain struct {
	chain.Chain
	rules []readRule
}

type readRule struct {
	rule.Rule
	after int
}

// Read makes a ruleset of the owner's tables in a program; others are passed
// over. With ErrNewer in the error's tree the ruleset is good for reading only.
// What it cannot say, or says in other words, the keeper has.
func Read(p *program.Program, o Options) (table.Ruleset, *Keeper, error) {
	k := &Keeper{map[keptKey][]*program.Rule{}}
	var halves []half
	var errs []error
	for _, t := range p.Tables {
		id, ok := Owned(t.Family, t.Name, o)
		if !ok {
			continue
		}
		h, err := readTable(t, id, o, k)
		if err != nil {
			errs = append(errs, err)
		}
		halves = append(halves, h)
	}
	return table.NewRuleset(joined(halves)...), k, errors.Join(errs...)
}

// Newer says whether a newer release wrote some of a program: Read's ErrNewer,
// found without reading.
func Newer(p *program.Program) bool {
	for _, t := range p.Tables {
		if _, _, err := userdata.DecodeTable(t.UserData); errors.Is(err, userdata.ErrNewer) {
			return true
		}
		if _, _, err := readSets(bare(t)); err != nil {
			return true
		}
		for _, c := range t.Chains {
			for _, r := range c.Rules {
				if r.UserData == "" {
					continue
				}
				if _, err := userdata.DecodeRule(r.UserData); errors.Is(err, userdata.ErrNewer) {
					return true
				}
			}
		}
	}
	return false
}

func readTable(t *program.Table, id table.ID, o Options, k *Keeper) (half, error) {
	ud, _, err := userdata.DecodeTable(t.UserData)
	h := half{id: id, split: ud.Split}
	env := program.Env{Family: t.Family, Table: id.Name(), Plain: o.Plain}
	var serr error
	if h.sets, env.Sets, serr = readSets(t); err == nil {
		err = serr
	}
	var x ruleReader
	for _, c := range t.Chains {
		if env.Chain = ""; c.Base {
			env.Chain = c.Name
		}
		rc, ok := readHead(c, id, o)
		if !ok {
			continue
		}
		rc.rules = make([]readRule, 0, len(c.Rules))
		all := false
		for _, pr := range c.Rules {
			r, ud, rerr := x.rule(pr, env)
			_, counted := pr.Counts()
			all = all || o.Plain && (x.otherwise || r.Opaque() || counted == o.Uncounted)
			if rerr != nil && err == nil {
				err = rerr
			}
			if ud.Only {
				r = only(r, familyOf(t.Family))
			}
			rc.rules = append(rc.rules, readRule{r, ud.After})
		}
		k.chain(env, rc, c.Rules, all)
		h.chains = append(h.chains, rc)
	}
	return h, err
}

// Foreign says whether a chain of the owner's table is one that Read passes over:
// a base chain that is none of iptables'.
func Foreign(t *program.Table, c *program.Chain, o Options) bool {
	id, ok := Owned(t.Family, t.Name, o)
	if !ok {
		return true
	}
	_, ok = readHead(c, id, o)
	return !ok
}

// readHead reads a chain without its rules; ok is false for a base chain that is
// none of iptables'.
func readHead(c *program.Chain, id table.ID, o Options) (readChain, bool) {
	if !c.Base {
		return readChain{Chain: chain.New(o.modelName(c.Name))}, true
	}
	h, ok := id.HookOf(c.Name)
	if !ok || (program.Hook{Type: h.Type, Num: h.Num, Priority: h.Priority + o.Offset}) != c.Hook && !sameButOffset(h, c.Hook, o) {
		return readChain{}, false
	}
	p := chain.Accept
	if c.Policy == program.NFDrop {
		p = chain.Drop
	}
	return readChain{Chain: chain.BuiltIn(c.Name, p).WithCounters(nf.Counters{Packets: c.Packets, Bytes: c.Bytes})}, true
}

// sameButOffset says whether a base chain is iptables' of that name at another
// priority: in tables of one's own that is an offset that was changed since.
func sameButOffset(h table.Hook, k program.Hook, o Options) bool {
	return !o.Plain && h.Type == k.Type && h.Num == k.Num
}

func familyOf(f program.Family) nf.Family {
	switch f {
	case program.IP:
		return nf.IPv4
	case program.IP6:
		return nf.IPv6
	}
	return nf.Both
}
