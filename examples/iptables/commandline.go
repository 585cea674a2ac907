package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// command reads what follows -A, -L and so on.
func (s *scanner) command(verb byte, value string, has bool) error {
	c := &s.cmd
	switch {
	case c.verb == 0:
		c.verb = verb
	case c.verb == 'Z' && c.list == 0 && (verb == 'L' || verb == 'S'):
		c.list = verb
	case (c.verb == 'L' || c.verb == 'S') && verb == 'Z':
		c.verb, c.list = 'Z', c.verb
	default:
		return badUsage("Cannot use -%c with -%c", verb, first(c))
	}
	if has {
		c.chain, c.chained = value, true
	}
	switch verb {
	case 'A', 'C', 'F', 'X':
		return nil
	case 'D', 'I':
		return s.number()
	case 'L', 'S', 'Z':
		if !has {
			return nil
		}
		return s.number()
	case 'R':
		if err := s.number(); err != nil || c.number > 0 {
			return err
		}
		return badUsage("-R requires a rule number")
	case 'N':
		return nameable(value)
	}
	return s.second(verb)
}

// first is the command that was given first.
func first(c *command) byte {
	if c.list != 0 {
		return c.list
	}
	return c.verb
}

// second reads the second argument of -E and -P.
func (s *scanner) second(verb byte) error {
	if s.i >= len(s.args) || !free(s.args[s.i]) {
		if verb == 'E' {
			return badUsage("-E requires old-chain-name and new-chain-name")
		}
		return badUsage("-P requires a chain and a policy")
	}
	s.cmd.other = s.args[s.i]
	s.i++
	return nil
}

// number reads a rule's number, where there is one.
func (s *scanner) number() error {
	if s.i >= len(s.args) || !free(s.args[s.i]) {
		return nil
	}
	word := s.args[s.i]
	s.i++
	n, err := strconv.ParseUint(word, 0, 31)
	if err != nil || n == 0 {
		return badUsage("Invalid rule number `%s'", word)
	}
	s.cmd.number = int(n)
	return nil
}

// nameable refuses what cannot be a chain's name.
func nameable(name string) error {
	if name == "" {
		return badUsage("chain name is empty")
	}
	if err := chain.CheckName(name); err != nil && !chain.IsBuiltIn(name) {
		return badUsage("%s", strings.TrimPrefix(err.Error(), chain.ErrName.Error()+": "))
	}
	return nil
}

// refused are the letters of the options that a command does not take, in the
// order in which iptables looks for them.
func refused(c *command) string {
	switch verb := first(c); {
	case c.verb == 'D' && c.number > 0, strings.IndexByte("FZNXES", verb) >= 0:
		return "nsdpjxio0cf"
	case verb == 'L':
		return "sdpjiocf"
	case verb == 'P':
		return "nsdpjxio0f"
	case verb == 'C' || verb == 'D':
		return "nx0c"
	}
	return "nx0"
}

// finish sees whether what was read goes together, and reads the rule.
func (s *scanner) finish() error {
	c := &s.cmd
	switch {
	case s.interval && !c.waits:
		return badUsage("--wait-interval only makes sense with --wait\n")
	case s.not:
		return badUsage("nothing appropriate following !")
	}
	s.deprecated()
	s.words = spoken(s.words)
	rules, err := rule.ParseArgs(s.words, s.family)
	if err != nil {
		return syntax(err)
	}
	if c.verb == 0 {
		return badUsage("no command specified")
	}
	for _, letter := range []byte(refused(c)) {
		if strings.IndexByte(c.seen, letter) >= 0 {
			return badUsage("Illegal option `-%c' with this command", letter)
		}
	}
	if ruled(c.verb) || c.verb == 'P' {
		c.rules = rules
	}
	return c.check()
}

// spoken is a rule's words without a comment that has none: what iptables takes,
// and scripts write where a variable is empty, does nothing at all.
func spoken(words []string) []string {
	for i := 0; i+3 < len(words); i++ {
		if slices.Equal(words[i:i+4], []string{"-m", "comment", "--comment", ""}) {
			return append(slices.Clone(words[:i]), words[i+4:]...)
		}
	}
	return words
}

// deprecated says what iptables says of spellings that it would rather not see.
func (s *scanner) deprecated() {
	for i, w := range s.words {
		if w == "--set" && slices.Contains(s.words[:i], "set") && !slices.Contains(s.words[:i], "recent") {
			s.cmd.notices = append(s.cmd.notices, "--set option deprecated, please use --match-set")
		}
	}
}

// check refuses what iptables refuses by looking at the command line alone.
func (c *command) check() error {
	if c.verb == 'P' && c.table == "nat" && c.other == "DROP" {
		return errNATDrop
	}
	if !ruled(c.verb) {
		return nil
	}
	if c.verb == 'R' && len(c.rules) > 1 {
		return badUsage("Replacement rule does not specify a unique address")
	}
	for _, r := range c.rules {
		for m := range r.Matches() {
			if i, ok := m.(match.Iface); ok && wayless(c.chain, i.Out) {
				return badUsage("Can't use -%c with %s\n", wayOf(i), c.chain)
			}
		}
		if c.table == "nat" && r.Target() == target.Drop {
			return errNATDrop
		}
	}
	return nil
}

// wayless says whether the packets of a built-in chain have no such interface.
func wayless(name string, out bool) bool {
	if out {
		return name == chain.Prerouting || name == chain.Input
	}
	return name == chain.Output || name == chain.Postrouting
}

func wayOf(i match.Iface) byte {
	if i.Out {
		return 'o'
	}
	return 'i'
}

// missing says that a rule's words end before an option's argument.
func missing(err error) bool { return errors.Is(err, rule.ErrMissing) }

// unknown says that a rule's words have an option or match that nobody knows.
func unknown(err error) bool {
	return slices.ContainsFunc([]error{rule.ErrUnknownOption, rule.ErrUnknownMatch}, func(e error) bool { return errors.Is(err, e) })
}
