package table

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// ErrCommand is the reason of a line that is no part of a text that describes
// tables from nothing: it is for iptables-restore to carry out, see Lines.
var ErrCommand = errors.New("not a command that describes a table")

// Parse reads iptables-save text for a family: IPv4 for iptables-save's, IPv6 for
// ip6tables-save's, Both for a file with -4 and -6 lines. A file for one family
// may have them too: lines of the other are passed over, as iptables-restore
// does.
//
// It takes what describes tables from nothing: ":CHAIN POLICY [p:b]", -A, -I with
// or without a number, -N, -P, with "[p:b]" before a command, comments and empty
// lines. A command that takes something away is ErrCommand; a table that comes
// twice, where iptables-restore would forget the first, is fs.ErrExist. Built-in
// chains that rules name need not be declared; their policy is then ACCEPT.
//
// Sets of the table's own are lines as ipset save has them, "create NAME TYPE …" and
// "add NAME ELEMENT …", anywhere in their table; the set comes before its elements.
//
// The first error ends it: a *rule.SyntaxError with line and column, or what r
// returned. Whether the rules go together is Ruleset.Err's to say.
func Parse(r io.Reader, f nf.Family) (Ruleset, error) {
	p := parser{family: f}
	for l, err := range Lines(r) {
		if err == nil {
			err = p.line(l)
		}
		if err != nil {
			return Ruleset{}, err
		}
	}
	return NewRuleset(p.tables...), nil
}

// parser makes tables of lines.
type parser struct {
	family nf.Family
	tables []Table
	order  []*draft
	chains map[string]*draft
	sets   map[string]*setDraft
	rules  rule.Parser
}

// draft is a chain while its rules are read.
type draft struct {
	name     string
	policy   chain.Policy // 0: a user chain
	counters nf.Counters
	rules    []rule.Rule
}

func (p *parser) line(l Line) error {
	switch l.Kind {
	case Begin:
		if slices.ContainsFunc(p.tables, func(t Table) bool { return t.id&kindMask == l.Table }) {
			return l.fail(1, l.Text, "one part for each table", fmt.Errorf("table %v a second time: %w", l.Table, fs.ErrExist))
		}
		p.order, p.chains, p.sets = nil, map[string]*draft{}, map[string]*setDraft{}
	case Declare:
		return p.declare(l)
	case Command:
		return p.command(l)
	case Commit:
		chains := make([]chain.Chain, len(p.order))
		for i, d := range p.order {
			if d.policy != 0 {
				chains[i] = chain.BuiltIn(d.name, d.policy, d.rules...).WithCounters(d.counters)
			} else {
				chains[i] = chain.New(d.name, d.rules...)
			}
		}
		p.tables = append(p.tables, withSets(New(l.Table.For(p.family), chains...), p.family, p.sets))
	}
	return nil
}

// declare makes the chain of ":CHAIN POLICY". A built-in chain may be declared
// again, and with "-" for a policy, which then stays.
func (p *parser) declare(l Line) error {
	d, err := p.built(l, l.Chain)
	switch {
	case err != nil:
		return err
	case d == nil && l.Policy != "-":
		return l.fail(1, l.Text, "-", fmt.Errorf("%w: a user chain has none", chain.ErrPolicy))
	case d == nil:
		return p.create(l, 2, l.Chain)
	}
	if l.Policy != "-" {
		if d.policy, err = chain.ParsePolicy(l.Policy); err != nil {
			return l.fail(1, l.Text, "ACCEPT, DROP or -", err)
		}
	}
	d.counters = l.Counters
	return nil
}

// built is the built-in chain of that name, made if it is missing; nil for a
// user chain's name.
func (p *parser) built(l Line, name string) (*draft, error) {
	if !chain.IsBuiltIn(name) {
		return nil, nil
	}
	if _, ok := l.Table.HookOf(name); !ok {
		return nil, l.fail(1, l.Text, "a chain of this table", fmt.Errorf("%s: %w", name, ErrHook))
	}
	d := p.chains[name]
	if d == nil {
		d = &draft{name: name, policy: chain.Accept}
		p.add(d)
	}
	return d, nil
}

// create makes a user chain.
func (p *parser) create(l Line, column int, name string) error {
	if err := chain.CheckName(name); err != nil {
		return l.fail(column, name, "", err)
	}
	if p.chains[name] != nil {
		return l.fail(column, name, "", fmt.Errorf("chain %s: %w", name, fs.ErrExist))
	}
	p.add(&draft{name: name})
	return nil
}

func (p *parser) add(d *draft) {
	p.order = append(p.order, d)
	p.chains[d.name] = d
}

// command carries out a line that begins with a command, or with -4 or -6 and
// then a command.
func (p *parser) command(l Line) error {
	word, i := cutWord(l.Text, l.Column-1)
	version := ""
	if f := versionOf(word); f != nf.Both {
		if p.family != nf.Both && f != p.family {
			return nil
		}
		version = word + " "
		word, i = cutWord(l.Text, i)
	}
	if word == "create" || word == "add" {
		return p.setLine(l, word, i)
	}
	column := i - len(word) + 1 // of the command
	name, j := chainWord(l.Text, i)
	switch word {
	case "-A", "--append", "-I", "--insert":
		return p.insert(l, word, version, name, j)
	case "-N", "--new-chain", "--new":
		if rest, end := cutWord(l.Text, j); rest != "" {
			return l.fail(end-len(rest)+1, rest, "nothing more", errors.New("bad argument"))
		}
		if d, err := p.built(l, name); err != nil || d != nil {
			return cmp.Or(err, l.fail(column, name, "", fmt.Errorf("chain %s: %w", name, fs.ErrExist)))
		}
		return p.create(l, column, name)
	case "-P", "--policy":
		return p.setPolicy(l, name, j)
	}
	return l.fail(column, word, "-A, -I, -N or -P", ErrCommand)
}

func (p *parser) setPolicy(l Line, name string, i int) error {
	d, err := p.built(l, name)
	if err != nil {
		return err
	}
	if d == nil {
		return l.fail(l.Column, l.Command(), "a built-in chain", fmt.Errorf("%w: a user chain has none", chain.ErrPolicy))
	}
	word, end := cutWord(l.Text, i)
	if d.policy, err = chain.ParsePolicy(word); err != nil {
		return l.fail(end-len(word)+1, word, "ACCEPT or DROP", err)
	}
	if l.Counted {
		d.counters = l.Counters
	}
	return nil
}

// insert adds the rules of -A or -I to their chain; the rule begins at byte i.
func (p *parser) insert(l Line, command, version, name string, i int) error {
	d := p.chains[name]
	if d == nil {
		var err error
		if d, err = p.built(l, name); err != nil {
			return err
		}
	}
	if d == nil {
		return l.fail(l.Column, command+" "+name, "a chain that is declared above",
			fmt.Errorf("no chain/target/match by that name: chain %q: %w", name, fs.ErrNotExist))
	}
	at := len(d.rules)
	if command == "-I" || command == "--insert" {
		at = 0
		word, end := cutWord(l.Text, i)
		if n, err := strconv.ParseUint(word, 10, 31); err == nil {
			if n == 0 || int(n) > len(d.rules)+1 {
				return l.fail(end-len(word)+1, word, "", fmt.Errorf("%s has %d rules: index of insertion too big: %w", name, len(d.rules), fs.ErrNotExist))
			}
			at, i = int(n)-1, end
		}
	}
	if p.foreign(l.Text[i:]) {
		return nil
	}
	rules, err := p.rules.Line(version+l.Text[i:], p.family)
	if err == nil {
		err = p.jump(rules[0], version+l.Text[i:])
	}
	if err != nil {
		return l.locate(unknownOption(err, version+l.Text[i:]), i-len(version))
	}
	if l.Counted {
		for k := range rules {
			rules[k] = rules[k].WithCounters(l.Counters)
		}
	}
	if at == len(d.rules) {
		d.rules = append(d.rules, rules...)
		return nil
	}
	d.rules = slices.Insert(d.rules, at, rules...)
	return nil
}

// jump is the error of a rule that goes where there is nothing: iptables-restore
// wants a chain declared before a rule names it.
func (p *parser) jump(r rule.Rule, text string) error {
	name, ok := leads(r)
	if !ok || p.chains[name] != nil || chain.IsBuiltIn(name) {
		return nil
	}
	e := &rule.SyntaxError{Column: afterJump(text, name), Token: name, Want: "a target, or a chain that is declared above",
		Err: fmt.Errorf("no chain %s: %w", name, fs.ErrNotExist)}
	if _, goes := r.Target().(target.Jump); goes && chain.Reserved(name) {
		e.Extension, e.Err = name, ErrUnknownTarget
	}
	return e
}

// unknownOption makes an error about an option that nobody knows one about the
// target whose option it must be, where nobody knows that either.
func unknownOption(err error, text string) error {
	if !errors.Is(err, rule.ErrUnknownOption) {
		return err
	}
	for column, name := range targets(text) {
		// A verdict is reserved too, but no jump.
		r, bad := rule.Parse("-j "+name, nf.Both)
		if _, jump := r.Target().(target.Jump); bad == nil && jump && chain.Reserved(name) {
			return &rule.SyntaxError{Column: column, Token: name, Extension: name, Want: "a target that this release has", Err: ErrUnknownTarget}
		}
	}
	return err
}

// afterJump is the column of a name behind -j or -g.
func afterJump(text, name string) int {
	for column, word := range targets(text) {
		if word == name {
			return column
		}
	}
	return 1
}

// locate moves a rule's error from its text to the line, offset bytes on.
func (l Line) locate(err error, offset int) error {
	var se *rule.SyntaxError
	if !errors.As(err, &se) {
		return l.fail(offset+1, l.Text, "", err)
	}
	moved := *se
	moved.Line = l.Number
	moved.Column = max(1, se.Column+offset)
	return &moved
}

// foreign says whether a rule has a -4 or -6 that is not the file's. The word
// may also be an option's argument (--comment -6): then what stands before it is
// no whole rule.
func (p *parser) foreign(text string) bool {
	if p.family == nf.Both || !strings.Contains(text, "-4") && !strings.Contains(text, "-6") &&
		!strings.Contains(text, "--ipv") {
		return false
	}
	for column, word := range words(text) {
		if f := versionOf(word); f != nf.Both && f != p.family {
			if _, err := rule.ParseLine(text[:column-1], p.family); !errors.Is(err, rule.ErrMissing) {
				return true
			}
		}
	}
	return false
}

func versionOf(word string) nf.Family {
	switch word {
	case "-4", "--ipv4":
		return nf.IPv4
	case "-6", "--ipv6":
		return nf.IPv6
	}
	return nf.Both
}
