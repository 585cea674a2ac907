package compile

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Single reads and compiles rules of one table one by one: what Read and Ruleset do
// for all of it. Not for a half of a table for both families.
type Single struct {
	env  program.Env
	o    Options
	id   table.ID
	read ruleReader
}

// NewSingle is for a table of the owner, of which the rules need not be there. The
// error is userdata.ErrNewer where a newer release wrote its sets.
func NewSingle(t *program.Table, id table.ID, o Options) (*Single, error) {
	_, own, err := readSets(bare(t))
	return &Single{env: program.Env{Family: t.Family, Table: id.Name(), Plain: o.Plain, Sets: own}, o: o, id: id}, err
}

// Chain is the model's name of a chain, and whether it is built in; ok is false for a
// base chain that is none of iptables'.
func (s *Single) Chain(c *program.Chain) (name string, builtIn, ok bool) {
	head, ok := readHead(c, s.id, s.o)
	return head.Name(), c.Base, ok
}

// Name is the kernel's name of a chain.
func (s *Single) Name(model string) string { return s.o.kernelName(model) }

// Read is the rule that a program says, in a built-in chain or, "", in a user chain.
// The error is userdata.ErrNewer where a newer release wrote it.
func (s *Single) Read(builtIn string, p *program.Rule) (rule.Rule, error) {
	env := s.env
	env.Chain = builtIn
	r, ud, err := s.read.rule(p, env)
	if ud.Only {
		r = only(r, familyOf(env.Family))
	}
	return r, err
}

// Compile is the program of a rule. Sets of one's own are not known to it.
func (s *Single) Compile(builtIn string, r rule.Rule) (*program.Rule, error) {
	env := s.env
	env.Chain, env.Sets = builtIn, program.NewOwnSets()
	return Rule(r, env, !s.o.Uncounted, 0)
}
