package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// command runs one command line of iptables or ip6tables.
func (t tool) command(ctx context.Context, w world, args []string) error {
	c, err := t.parse(ctx, args)
	if c != nil {
		for _, n := range c.notices {
			fmt.Fprintln(w.stderr, n)
		}
	}
	switch {
	case err != nil:
		return err
	case c.shown != "":
		_, err := fmt.Fprint(w.stdout, c.shown)
		return err
	case c.foreign:
		return errHelp
	}
	id, ok := t.id(c.table)
	if !ok {
		return &failure{form: notice, code: exitVersion, text: fmt.Sprintf("can't initialize %s table `%s': Table does not exist (do you need to insmod?)\n"+
			"Perhaps iptables or your kernel needs to be upgraded.", t.name(), c.table)}
	}
	fw, err := t.open(ctx, w, c.owner)
	if err != nil {
		return err
	}
	defer fw.Close()
	if c.verb == 'L' || c.verb == 'S' {
		tb, err := t.read(ctx, fw, id)
		if err != nil {
			return err
		}
		return c.print(ctx, w.stdout, tb, c.verb)
	}
	var out bytes.Buffer
	err = fw.Edit(ctx, func(e *backend.Edit) error {
		out.Reset() // the function runs again when another writer was first
		return c.do(&session{ctx, e, id, &out})
	})
	if c.verb == 'C' && errors.Is(err, backend.ErrOnProbation) {
		err = nil // it was looked for, in what is in force, and found
	}
	if _, werr := out.WriteTo(w.stdout); err == nil {
		err = werr
	}
	return err
}

// session is what a command works on: a table within a transaction, and where
// its output goes.
type session struct {
	ctx context.Context
	e   *backend.Edit
	id  table.ID
	out *bytes.Buffer
}

func (s *session) chain(name string) *backend.ChainEdit { return s.e.Chain(s.id, name) }

// table is the table as the transaction has left it, with all built-in chains.
func (s *session) table() table.Table {
	var chains []chain.Chain
	for c := range s.e.Chains(s.id) {
		chains = append(chains, c)
	}
	return table.New(s.id, chains...).Complete()
}

// complete makes every built-in chain of the table, as iptables does with the
// first thing that it puts into one: from then on their policies count.
func (s *session) complete() {
	for _, h := range s.id.BuiltIns() {
		s.chain(h.Chain).Ensure()
	}
}

// do carries out a command.
func (c *command) do(s *session) error {
	if strings.IndexByte("AINP", c.verb) >= 0 {
		s.complete()
	}
	switch c.verb {
	case 'A', 'C', 'D', 'I', 'R':
		return c.editRules(s)
	case 'L', 'S':
		return c.print(s.ctx, s.out, s.table(), c.verb)
	case 'F':
		return c.each(s, "Flushing", (*backend.ChainEdit).Flush)
	case 'Z':
		return c.zero(s)
	case 'N':
		return c.create(s)
	case 'X':
		return c.remove(s)
	case 'E':
		return c.rename(s)
	case 'P':
		return c.setPolicy(s)
	}
	return nil
}

// editRules carries out the commands that are about rules.
func (c *command) editRules(s *session) error {
	ch := s.chain(c.chain)
	if c.verb == 'D' && c.number > 0 {
		switch {
		case !ch.Exists():
			return errNoChain
		case c.number > length(ch):
			return errDeletion
		}
		ch.DeleteAt(c.number)
		return nil
	}
	for _, r := range c.rules {
		if err := s.target(r); err != nil {
			return err
		}
		if c.verbose {
			fmt.Fprintln(s.out, describe(s.id, r))
		}
	}
	if c.verb == 'C' || c.verb == 'D' {
		return c.find(ch)
	}
	if !ch.Exists() {
		return errNoChain
	}
	n := length(ch)
	switch {
	case c.verb == 'A':
		ch.Append(c.rules...)
	case c.verb == 'R' && c.number > n:
		return errReplacing
	case c.verb == 'R':
		ch.Replace(c.number, c.rules[0])
	case c.number > n+1:
		return errInsertion
	default:
		for _, r := range c.rules { // each goes before the one before it
			ch.Insert(max(c.number, 1), r)
		}
	}
	return nil
}

// find looks for the rules of -C and -D, and deletes those of -D.
func (c *command) find(ch *backend.ChainEdit) error {
	for _, r := range c.rules {
		if !ch.Has(r) {
			return absent(r)
		}
		if c.verb == 'D' {
			ch.Delete(r)
		}
	}
	return nil
}

// absent is what iptables says when a chain does not have a rule: it blames the
// target, where that is more than a verdict.
func absent(r rule.Rule) error {
	switch r.Target().Name() {
	case "", "ACCEPT", "DROP", "RETURN", "QUEUE":
		return errBadRule
	}
	return errNoChain
}

// target refuses a rule that goes where nothing is.
func (s *session) target(r rule.Rule) error {
	switch to := r.Target().(type) {
	case target.Jump:
		if !s.chain(string(to)).Exists() {
			return badUsage("Couldn't load target `%s':No such file or directory\n", to)
		}
	case target.Goto:
		if !s.chain(string(to)).Exists() {
			return badUsage("goto '%s' is not a chain", to)
		}
	}
	return nil
}

// length is the number of rules of a chain.
func length(ch *backend.ChainEdit) (n int) {
	for i := range ch.Rules() {
		n = i
	}
	return n
}

// each does something to the chain that was given, or to all. Built-in chains
// that were not made yet have nothing that it could be done to.
func (c *command) each(s *session, doing string, do func(*backend.ChainEdit)) error {
	if c.chained {
		c.tell(s, doing, c.chain)
		if !s.chain(c.chain).Exists() {
			return errNoChain
		}
	} else {
		for ch := range s.table().Chains() {
			c.tell(s, doing, ch.Name())
		}
	}
	for ch := range s.e.Chains(s.id) {
		if !c.chained || ch.Name() == c.chain {
			do(s.chain(ch.Name()))
		}
	}
	return nil
}

// tell says with -v what is done to a chain.
func (c *command) tell(s *session, doing, name string) {
	if c.verbose {
		fmt.Fprintf(s.out, "%s chain `%s'\n", doing, name)
	}
}

// zero resets counters, after listing them where -L or -S was given too. A number
// given with -L is the listing's alone.
func (c *command) zero(s *session) error {
	if c.list != 0 {
		if err := c.print(s.ctx, s.out, s.table(), c.list); err != nil {
			return err
		}
	}
	if c.number == 0 || c.list != 0 {
		return c.each(s, "Zeroing", func(ch *backend.ChainEdit) { ch.Zero() })
	}
	ch := s.chain(c.chain)
	switch {
	case !ch.Exists():
		return errNoChain
	case c.number > length(ch):
		return errCounter
	}
	ch.Zero(c.number)
	return nil
}

func (c *command) create(s *session) error {
	if s.chain(c.chain).Exists() {
		return errExists
	}
	if err := nameable(c.chain); err != nil {
		return err
	}
	s.chain(c.chain).New()
	return nil
}

// remove takes user chains away that are empty and that nothing refers to.
func (c *command) remove(s *session) error {
	tb := s.table()
	for ch := range tb.Chains() {
		if _, builtIn := ch.Policy(); builtIn || c.chained && ch.Name() != c.chain {
			continue
		}
		switch {
		case ch.Len() > 0:
			return errNotEmpty
		case referred(tb, ch.Name()):
			return errLinks
		}
		s.chain(ch.Name()).Remove()
		c.tell(s, "Deleting", ch.Name())
	}
	ch, there := tb.Chain(c.chain)
	switch _, builtIn := ch.Policy(); {
	case c.chained && !there:
		return errNoChain
	case c.chained && builtIn:
		return invalid(c.chain + " is a built-in chain")
	}
	return nil
}

// referred says whether a rule of the table goes to a chain.
func referred(tb table.Table, name string) bool {
	for ch := range tb.Chains() {
		for _, r := range ch.Rules() {
			if to := r.Target(); to == target.Jump(name) || to == target.Goto(name) {
				return true
			}
		}
	}
	return false
}

func (c *command) rename(s *session) error {
	from := s.chain(c.chain)
	switch {
	case s.chain(c.other).Exists():
		return errFile
	case !from.Exists() || chain.IsBuiltIn(c.chain):
		return errNoChain
	}
	if err := nameable(c.other); err != nil {
		return err
	}
	from.Rename(c.other)
	return nil
}

// setPolicy gives a built-in chain a policy, and its counters a new start.
func (c *command) setPolicy(s *session) error {
	if _, ok := s.id.HookOf(c.chain); !ok {
		return errBuiltIn
	}
	policy, err := chain.ParsePolicy(c.other)
	if err != nil {
		return errPolicy
	}
	ch := s.chain(c.chain)
	ch.Policy(policy)
	ch.SetCounters(c.rules[0].Counters())
	return nil
}
