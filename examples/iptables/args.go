package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// command is one command line, read.
type command struct {
	verb   byte // the command's letter
	list   byte // of -Z: L or S where the table is listed first
	table  string
	tabled bool   // -t was given
	chain  string // with chained
	other  string // the new name of -E, the policy of -P
	number int    // of a rule, from 1; 0: none
	owner  string
	// chained says that a chain was given, which may be "".
	chained bool

	rules []rule.Rule // of -A, -C, -D, -I, -R; of -P its counters

	numeric, exact, lines bool
	verbose               bool
	notices               []string // for stderr, though all is well
	shown                 string   // text to print instead of doing anything
	foreign               bool     // -4 or -6 that is not the tool's
	waits                 bool     // -w was given

	seen string // letters of options that not every command takes
}

// ruled says whether a command is about a rule.
func ruled(verb byte) bool { return strings.IndexByte("ACDIR", verb) >= 0 }

// scanner reads the arguments in the order in which they come. The words of a
// rule it leaves to the library, which knows the extensions and their options;
// it only has to know whether a word is an option or what belongs to one.
type scanner struct {
	tool
	ctx       context.Context
	args      []string
	i         int
	cmd       command
	words     []string // of the rule
	not       bool     // a ! came before
	extension bool     // the last words are of an extension's option
	interval  bool     // -W was given
}

// parse reads a command line. The context bounds the look-up of hosts' names.
func (t tool) parse(ctx context.Context, args []string) (*command, error) {
	s := &scanner{tool: t, ctx: ctx, args: args}
	s.cmd.table = "filter"
	for s.i < len(s.args) {
		if err := s.step(); err != nil {
			return nil, err
		}
		if s.cmd.shown != "" {
			return &s.cmd, nil
		}
	}
	if s.cmd.foreign {
		return &s.cmd, nil
	}
	return &s.cmd, s.finish()
}

// step reads one word, and the words that belong to it.
func (s *scanner) step() error {
	word := s.args[s.i]
	s.i++
	switch {
	case s.pending(word):
		s.words = append(s.words, word)
		return nil
	case word == "!":
		if s.not {
			return badUsage("multiple consecutive ! not allowed")
		}
		s.not = true
		return nil
	case word == "--":
		if s.i < len(s.args) {
			return badUsage("unknown arguments found on commandline")
		}
		return nil
	case strings.HasPrefix(word, "--"):
		return s.long(word)
	case len(word) > 1 && word[0] == '-':
		return s.short(word)
	}
	return s.argument(word)
}

// pending says whether the words so far want another: an extension's option
// whose argument has not come yet.
func (s *scanner) pending(word string) bool {
	if !s.extension {
		return false
	}
	_, err := rule.ParseArgs(s.words, s.family)
	if missing(err) {
		return true
	}
	// What is wrong before this option must not hide that it wants a word.
	at := len(s.words) - 1
	for at > 0 && !strings.HasPrefix(s.words[at], "--") {
		at--
	}
	name, _, joined := strings.Cut(s.words[at], "=")
	args, optional, ok := s.option(name)
	n := len(s.words) - 1 - at
	return ok && !joined && (n < args || optional && n == 0 && word != "" && free(word))
}

// argument is a word that no option takes. What was wrong before it is said
// first.
func (s *scanner) argument(word string) error {
	if _, err := rule.ParseArgs(s.words, s.family); unknown(err) {
		return syntax(err)
	}
	return badArgument(word)
}

// long reads an option with two dashes.
func (s *scanner) long(word string) error {
	name, value, joined := strings.Cut(word[2:], "=")
	o, ok, ambiguous := byName(commandOptions, name)
	switch {
	case o.long != name && s.loaded("--"+name):
		s.push(word)
		s.extension = true
		return nil
	case ambiguous:
		return unknownOption(word)
	case !ok:
		s.push(word)
		s.extension = true
		return nil
	case joined && o.arg == none:
		return unknownOption(word)
	}
	return s.take(o, "--"+o.long, value, joined)
}

// loaded says whether an extension that the words name has an option that begins
// so: --set of -m recent is no abbreviation of --set-counters. Which one is meant,
// if any, is the library's to say.
func (s *scanner) loaded(name string) bool {
	_, _, ok := s.option(name)
	return ok
}

// option says how many words follow an option that begins so, of an extension
// that the words name, and whether one more may.
func (s *scanner) option(name string) (args int, optional, ok bool) {
	for i, w := range s.words[:max(len(s.words), 1)-1] {
		if w != "-m" && w != "-j" {
			continue
		}
		find := match.Find
		if w == "-j" {
			find = target.Find
		}
		if e, ok := find(s.words[i+1]); ok {
			for _, o := range e.Options() {
				begins := func(spelling string) bool { return strings.HasPrefix(spelling, name) }
				if begins(o.Name) || slices.ContainsFunc(o.Aliases, begins) {
					return o.Args, o.Optional, true
				}
			}
		}
	}
	return 0, false, false
}

// short reads options behind one dash, the last of which may have an argument.
func (s *scanner) short(word string) error {
	for i := 1; i < len(word); i++ {
		o, ok := byLetter(commandOptions, word[i])
		if !ok || o.letter == '0' {
			return unknownOption("-" + word[i:i+1])
		}
		rest := word[i+1:]
		if o.arg != none && rest != "" {
			return s.take(o, "-"+word[i:i+1], rest, true)
		}
		if err := s.take(o, "-"+word[i:i+1], "", false); err != nil || o.arg != none {
			return err
		}
	}
	return nil
}

// take gets an option's argument and does what it says.
func (s *scanner) take(o option, spelling, value string, has bool) error {
	if !has && wants(o, s.args[s.i:]) {
		value, has = s.args[s.i], true
		s.i++
	}
	if o.arg == required && !has {
		return badUsage("option %q requires an argument", spelling)
	}
	switch {
	case o.long == "fragments" && s.family == 6:
		return badUsage("`-f' is not supported in IPv6, use -m frag instead")
	case o.letter == '4' && s.family == 6, o.letter == '6' && s.family == 4:
		s.cmd.foreign = true
		return nil
	case o.letter == '4' || o.letter == '6':
		return nil
	case strings.IndexByte("sdpiofjgmc", o.letter) >= 0:
		return s.ruleOption(o, value)
	}
	if err := s.plain(o); err != nil {
		return err
	}
	if o.letter >= 'A' && o.letter <= 'Z' && strings.IndexByte("MVW", o.letter) < 0 {
		return s.command(o.letter, value, has)
	}
	return s.general(o, value, has)
}

// plain refuses a ! before an option that has none.
func (s *scanner) plain(o option) error {
	switch {
	case !s.not:
		return nil
	case strings.IndexByte("nvx0jgc", o.letter) >= 0:
		return badUsage("cannot have ! before -%c", o.letter)
	case o.letter >= 'A' && o.letter <= 'Z' && o.letter != 'V' && o.letter != 'W':
		return badUsage("unexpected '!' flag")
	}
	return badUsage("unexpected ! flag before --%s", o.long)
}

// ruleOption is an option of the rule that iptables itself has.
func (s *scanner) ruleOption(o option, value string) error {
	if strings.IndexByte("sdpiof", o.letter) < 0 {
		if err := s.plain(o); err != nil {
			return err
		}
	}
	switch o.letter {
	case 's', 'd':
		value = s.resolve(value)
	case 'g':
		s.seen('j')
	}
	s.seen(o.letter)
	s.push("-" + string(o.letter))
	if o.arg != none {
		s.words = append(s.words, value)
	}
	if o.letter == 'c' && !strings.Contains(value, ",") && s.i < len(s.args) && free(s.args[s.i]) {
		s.words = append(s.words, s.args[s.i])
		s.i++
	}
	s.extension = false
	return nil
}

// push adds an option's name to the words of the rule, behind the ! that came.
func (s *scanner) push(word string) {
	if s.not {
		s.words = append(s.words, "!")
	}
	s.not = false
	s.words = append(s.words, word)
}

// seen notes an option that not every command takes.
func (s *scanner) seen(letter byte) {
	if strings.IndexByte(s.cmd.seen, letter) < 0 {
		s.cmd.seen += string(letter)
	}
}

// general is an option that is neither a command nor of a rule.
func (s *scanner) general(o option, value string, has bool) error {
	c := &s.cmd
	switch o.letter {
	case 't':
		c.table, c.tabled = value, true
	case owner:
		c.owner = value
	case 'n':
		c.numeric = true
		s.seen('n')
	case 'v':
		c.verbose = true
	case 'x':
		c.exact = true
		s.seen('x')
	case '0':
		c.lines = true
		s.seen('0')
	case 'w':
		c.waits = true
		if _, err := strconv.ParseUint(value, 0, 31); has && err != nil {
			return badUsage("wait seconds not numeric")
		}
	case 'W':
		s.interval = true
		if _, err := strconv.ParseUint(value, 0, 31); err != nil {
			return badUsage("wait interval not numeric")
		}
		c.notices = append(c.notices, "Ignoring deprecated --wait-interval option.")
	case 'V':
		c.shown = s.name() + " " + version + "\n"
	case 'h':
		c.shown = s.help()
	}
	return nil
}
