package delta

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/align"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// steps is the change of one table, in the making.
type steps struct {
	table *program.Table // as wanted
	have  *program.Table // as the host has it, chains renamed; empty where it is not there
	opt   Options
	hash  align.Hasher

	origin  map[string]string               // of chains: the name under which its rules are counted
	before  map[*program.Rule]*program.Rule // rules as they were before chains were renamed
	chains  map[string]*program.Chain       // of have
	wanted  map[string]*program.Chain       // of table
	renamed map[string]string               // in first
	keep    map[string]bool                 // chains that are not to be deleted
	pinned  map[string]bool                 // sets that those look up

	first, stage, turn, sweep []driver.Op
	fills                     [][]driver.Op // of the switch: what may be in transactions of its own

	rules  Counts
	gone   map[count][]*program.Rule // rules that are deleted, for those that are added elsewhere
	gained []gain
	err    error
}

// diffTable is the change of one table; old is nil where the host does not have it.
func diffTable(old, t *program.Table, opt Options, h align.Hasher) *steps {
	if old == nil {
		s := newSteps(&program.Table{Family: t.Family, Name: t.Name}, t, opt, h)
		s.stage = append(s.stage, driver.Op{Kind: driver.AddTable, Table: t})
		s.diff()
		return s
	}
	moved := renames(old, t, opt, h)
	if len(moved) > 0 {
		// Where names are all that changed, renaming is all there is to do.
		s := newSteps(rename(old, moved, nil), t, opt, h)
		s.diff()
		if s.empty() {
			s.turn = renameOps(old, moved)
			return s
		}
	}
	s := newSteps(old, t, opt, h)
	for from, to := range moved {
		s.origin[to] = from
	}
	s.makeWay()
	s.diff()
	return s
}

func newSteps(have, want *program.Table, opt Options, h align.Hasher) *steps {
	s := &steps{
		table: want, have: have, opt: opt, hash: h,
		origin: map[string]string{}, before: map[*program.Rule]*program.Rule{},
		wanted: map[string]*program.Chain{}, gone: map[count][]*program.Rule{},
	}
	for _, c := range want.Chains {
		s.wanted[c.Name] = c
	}
	s.index()
	return s
}

// index finds have's chains by name.
func (s *steps) index() {
	s.chains = make(map[string]*program.Chain, len(s.have.Chains))
	for _, c := range s.have.Chains {
		s.chains[c.Name] = c
	}
}

func (s *steps) empty() bool {
	return len(s.first)+len(s.stage)+len(s.turn)+len(s.fills)+len(s.sweep) == 0 && s.err == nil
}

// diff fills the steps.
func (s *steps) diff() {
	s.keepChains()
	var fresh, base []*program.Chain
	for _, c := range s.table.Chains {
		switch {
		case s.chains[c.Name] != nil:
		case c.Base:
			base = append(base, c)
		default:
			fresh = append(fresh, c)
		}
	}
	for _, c := range fresh {
		s.stage = append(s.stage, driver.Op{Kind: driver.AddChain, Table: s.table, Chain: c})
	}
	s.diffSets()
	for _, c := range fresh {
		s.stage = s.addRules(s.stage, c)
	}
	for _, c := range base {
		s.turn = append(s.turn, driver.Op{Kind: driver.AddChain, Table: s.table, Chain: s.counted(c)})
		s.turn = s.addRules(s.turn, c)
	}
	for _, c := range s.table.Chains {
		if old := s.chains[c.Name]; old != nil && !c.Keep {
			s.diffRules(old, c)
			s.updateChain(old, c)
		}
	}
	s.sweepChains()
	s.carry()
}

// counted is a new base chain, with the counts of the one that made way for it.
func (s *steps) counted(c *program.Chain) *program.Chain {
	old := s.chains[s.renamed[c.Name]]
	if old == nil || !old.Counted || !c.Counted || c.Fresh {
		return c
	}
	with := *c
	with.Packets, with.Bytes = old.Packets, old.Bytes
	return &with
}

// updateChain brings a base chain's policy and its counters up to date. They are
// set where there were none and where want has them start anew.
func (s *steps) updateChain(old, c *program.Chain) {
	if !c.Base {
		return
	}
	count := c.Counted && (!old.Counted || c.Fresh && (old.Packets != c.Packets || old.Bytes != c.Bytes))
	if old.Policy == c.Policy && !count {
		return
	}
	next := *c
	next.Counted = count
	s.turn = append(s.turn, driver.Op{Kind: driver.UpdateChain, Table: s.table, Chain: &next})
}

// keepChains finds the chains that stay though they are not wanted: those that
// the caller keeps, and what they and the administrator's chains lead to.
func (s *steps) keepChains() {
	s.keep, s.pinned = map[string]bool{}, map[string]bool{}
	var todo []string
	for _, c := range s.have.Chains {
		w := s.wanted[c.Name]
		if w != nil && w.Keep || w == nil && s.opt.Keep != nil && s.opt.Keep(s.table, c.Name) {
			todo = append(todo, c.Name)
		}
	}
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		c := s.chains[name]
		if c == nil || s.keep[name] {
			continue
		}
		s.keep[name] = true
		for _, r := range c.Rules {
			todo = slices.AppendSeq(todo, r.Jumps)
			for _, e := range r.Exprs {
				if l, ok := e.(program.Lookup); ok && l.Name != "" && !s.pinned[l.Name] {
					s.pinned[l.Name] = true
					todo = append(todo, s.leadsTo(l.Name)...)
				}
			}
		}
	}
}

// leadsTo are the chains that a map's elements name.
func (s *steps) leadsTo(set string) []string {
	var out []string
	if m := s.have.Set(set); m != nil {
		for _, e := range m.Elements {
			if e.Verdict.Chain != "" {
				out = append(out, e.Verdict.Chain)
			}
		}
	}
	return out
}

// sweepChains deletes what is not wanted: base chains in the switch, since
// packets meet them, all others in the sweep, first their rules, which refer to
// each other and to sets.
func (s *steps) sweepChains() {
	var flush, gone []driver.Op
	for _, c := range s.have.Chains {
		if s.wanted[c.Name] != nil || s.keep[c.Name] {
			continue
		}
		for _, r := range c.Rules {
			s.lose(c.Name, r)
		}
		ops := deleteChain(s.table, c)
		if c.Base && s.origin[c.Name] == "" {
			s.turn = append(s.turn, ops...)
			continue
		}
		flush = append(flush, ops[:len(ops)-1]...)
		gone = append(gone, ops[len(ops)-1])
	}
	sets := s.sweep
	s.sweep = slices.Concat(flush, sets, gone)
}

// says is what a chain's userdata says.
func says(c *program.Chain) userdata.Chain { return userdata.DecodeChain(c.UserData) }
