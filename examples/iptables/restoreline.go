package main

import (
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// begin empties the table, unless -n keeps what is there: rules and user chains
// go, counters start at zero, policies stay until the file says otherwise.
func (r *restorer) begin(s *session) error {
	s.complete()
	if r.keep {
		return nil
	}
	c := &command{verbose: r.verbose}
	chains := s.table()
	err := c.each(s, "Flushing", func(ch *backend.ChainEdit) {
		ch.Flush()
		ch.Zero()
	})
	for ch := range chains.Chains() {
		if _, builtIn := ch.Policy(); !builtIn {
			s.chain(ch.Name()).Remove()
			c.tell(s, "Deleting", ch.Name())
		}
	}
	return err
}

// declare carries out ":CHAIN POLICY [packets:bytes]".
func (r *restorer) declare(s *session, l table.Line) error {
	ch := s.chain(l.Chain)
	if _, builtIn := s.id.HookOf(l.Chain); !builtIn {
		return r.declareUser(ch, l)
	}
	if l.Policy == "-" {
		return nil
	}
	policy, err := chain.ParsePolicy(l.Policy)
	if err != nil {
		return r.badPolicy(l, errPolicy)
	}
	if s.id.Name() == "nat" && policy == chain.Drop {
		return errNATDrop
	}
	ch.Policy(policy)
	var n nf.Counters
	if r.counters {
		n = l.Counters
	}
	ch.SetCounters(n)
	return nil
}

// declareUser makes a user chain; with -n one that is there is emptied.
func (r *restorer) declareUser(ch *backend.ChainEdit, l table.Line) error {
	if err := nameable(l.Chain); err != nil {
		return err
	}
	switch {
	case ch.Exists() && !r.keep:
		return badUsage("error creating chain '%s':File exists", l.Chain)
	case ch.Exists():
		ch.Flush()
	default:
		ch.New()
	}
	if l.Policy != "-" {
		return r.badPolicy(l, errBuiltIn)
	}
	return nil
}

// badPolicy is a policy that a chain cannot have.
func (r *restorer) badPolicy(l table.Line, why *failure) error {
	return &failure{
		form: notice, code: exitOther, line: l.Number,
		text: fmt.Sprintf("Can't set policy `%s' on `%s' line %d: %s", l.Policy, l.Chain, l.Number, strings.TrimSuffix(why.text, ".")),
	}
}

// parseLine reads a command of the file: the step that carries it out, or tells
// what is wrong with it, or nil where it is for the other family.
func (r *restorer) parseLine(l table.Line) func(*session) error {
	c := r.appended(l)
	if c == nil {
		var err error
		if c, err = r.parse(r.ctx, words(l.Command())); err == nil {
			err = r.fits(c, l)
		}
		switch {
		case err != nil:
			return func(*session) error { return err }
		case c.foreign:
			return nil
		case c.shown != "":
			return func(s *session) error { s.out.WriteString(c.shown); return nil }
		}
	}
	c.verbose = c.verbose || r.verbose
	if l.Counted && r.counters {
		for i, x := range c.rules {
			c.rules[i] = x.WithCounters(l.Counters)
		}
	}
	return c.do
}

// fits refuses what only a command line of its own may say, and what does not
// go with the table that the line is in.
func (r *restorer) fits(c *command, l table.Line) error {
	if c.tabled {
		return badUsage("The -t option cannot be used in %s.\n", r.name())
	}
	if c.waits {
		return badUsage("You cannot use `-w' from %s", r.name())
	}
	c.table = l.Table.Name()
	return c.check()
}

// appended is the short way for "-A CHAIN rule", which most lines are: the
// library reads the rule as it stands. What it does not take goes the long way,
// where options of iptables and names of hosts are known.
func (r *restorer) appended(l table.Line) *command {
	text, ok := strings.CutPrefix(l.Command(), "-A ")
	name, text, _ := strings.Cut(text, " ")
	if !ok || name == "" || strings.ContainsAny(name, "\"\t") {
		return nil
	}
	rules, err := rule.ParseLine(text, r.family)
	c := &command{verb: 'A', table: l.Table.Name(), chain: name, chained: true, rules: rules}
	if err != nil || c.check() != nil {
		return nil
	}
	return c
}

// words splits a line at blanks. Double quotes hold words together, and within
// them a backslash makes the next character stand for itself.
func words(line string) (out []string) {
	var word strings.Builder
	within, quoted := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
		case c == '"':
			quoted, within = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			if within {
				out = append(out, word.String())
			}
			word.Reset()
			within = false
		default:
			word.WriteByte(c)
			within = true
		}
	}
	if within {
		out = append(out, word.String())
	}
	return out
}
