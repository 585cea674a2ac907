package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Parse reads one rule in the syntax of iptables 1.8.9: what stands after "-A
// CHAIN". Errors are *SyntaxError. A list of addresses, which stands for several
// rules, is an error here: see ParseArgs.
func Parse(text string, f nf.Family) (Rule, error) {
	rs, err := ParseLine(text, f)
	if err != nil {
		return Rule{}, err
	}
	if len(rs) != 1 {
		return Rule{}, &SyntaxError{Column: 1, Token: text, Want: "one rule", Err: errSeveral}
	}
	return rs[0], nil
}

// ParseLine is Parse for a line that may stand for several rules.
func ParseLine(text string, f nf.Family) ([]Rule, error) { return new(Parser).Line(text, f) }

// Parser reads many lines with the memory of one. The zero value is ready; one
// goroutine at a time may use it.
type Parser struct {
	p     parser
	words []word
	rules []Rule
}

// Line is ParseLine; the slice that it returns is good until it is called again,
// the rules in it for ever.
func (x *Parser) Line(text string, f nf.Family) ([]Rule, error) {
	words, err := split(x.words[:0], text)
	if err != nil {
		return nil, err
	}
	x.words = words
	rules, err := x.p.parse(words, f, x.rules[:0])
	if err == nil {
		x.rules = rules
	}
	return rules, err
}

// ParseArgs reads words that a shell has split. A list of addresses (-s a,b)
// makes a rule for each, as in iptables. The column of an error counts the words
// as if one blank stood between them. Families: IPv4 reads what iptables reads,
// IPv6 what ip6tables reads, Both either.
func ParseArgs(args []string, f nf.Family) ([]Rule, error) {
	words, column := make([]word, len(args)), 1
	for i, a := range args {
		words[i] = word{text: a, column: column}
		column += len(a) + 1
	}
	return new(parser).parse(words, f, nil)
}

// Reasons of syntax errors; tested with errors.Is.
var (
	ErrUnknownOption = errors.New("unknown option")
	ErrUnknownMatch  = errors.New("unknown match")
	ErrMissing       = errors.New("requires an argument")
	ErrBang          = errors.New("unexpected ! flag")
	errSeveral       = errors.New("stands for several rules")
	errSeveralNot    = errors.New("! not allowed with multiple source or destination IP addresses")
)

// loaded is an extension whose options may follow.
type loaded struct {
	ext    option.Extension
	inst   option.Instance
	target bool
}

// parser reads the words of one rule.
type parser struct {
	words    []word
	i        int
	family   nf.Family
	b        builder
	from, to []match.Address // -s and -d, each for a rule of its own
	order    []loaded        // matches and the target, as they were named
	target   target.Target
	targeted option.Instance // nil: no target with options
	implied  bool            // the match of -p was tried
	mh       bool            // -p is spelled "mh", which is the match's name and not the protocol's
	counters nf.Counters
	preset   bool

	// Room for what most rules have, so that it is allocated with the parser.
	room struct {
		from, to [1]match.Address
		order    [4]loaded
		matches  [4]match.Match
		args     [2]string
	}
}

// parse reads words with a parser that may have read others, and adds the rules
// that they are to out.
func (p *parser) parse(words []word, f nf.Family, out []Rule) ([]Rule, error) {
	*p = parser{words: words, family: f, b: builder{family: f}}
	p.order, p.b.order = p.room.order[:0], p.room.matches[:0]
	for p.i < len(p.words) {
		if err := p.step(); err != nil {
			return nil, err
		}
	}
	return p.rules(out)
}

// fail makes the error of the word at i.
func (p *parser) fail(i int, extension, want string, err error) error {
	e := &SyntaxError{Extension: extension, Want: want, Err: err, Column: 1}
	switch {
	case i < len(p.words):
		e.Column, e.Token = p.words[i].column, p.words[i].text
	case len(p.words) > 0:
		last := p.words[len(p.words)-1]
		e.Column = last.column + len(last.text)
	}
	return e
}

// step reads one option with its words.
func (p *parser) step() error {
	not := false
	if p.words[p.i].text == "!" && !p.words[p.i].quoted {
		not = true
		if p.i++; p.i == len(p.words) {
			return p.fail(p.i-1, "", "an option behind it", ErrBang)
		}
	}
	at := p.i
	name, value, joined := cut(p.words[p.i].text)
	p.i++
	given := p.room.args[:0] // an option does not keep its words
	if joined {
		given = append(given, value)
	}
	o, ok := p.find(name)
	if !ok || joined && o.words() == 0 {
		if !strings.HasPrefix(name, "-") {
			return p.fail(at, "", "an option", fmt.Errorf("bad argument `%s'", name))
		}
		return p.fail(at, "", "an option of a -p, -m or -j before it", fmt.Errorf("%w %q", ErrUnknownOption, name))
	}
	if h := o.header; h != nil {
		if not && !h.invert {
			return p.fail(at, "", "", fmt.Errorf("%w: %s cannot be inverted", ErrBang, name))
		}
		words, err := p.take(at, name, given, h.args)
		if err != nil {
			return err
		}
		if err := h.set(p, not, words); err != nil {
			return p.locate(at, h.want, err)
		}
		return nil
	}
	if o.option.Optional {
		given = p.maybe(given)
	}
	words, err := p.take(at, name, given, max(o.option.Args, len(given)))
	if err != nil {
		return err
	}
	c := p.b.context()
	c.Family = p.family
	if err := o.ext.Set(o.option, not, words, c); err != nil {
		return p.locate(at, o.option.Want, err)
	}
	return nil
}

// take completes the words of the option at a place to as many as it wants.
func (p *parser) take(at int, name string, given []string, n int) ([]string, error) {
	if n == 0 {
		return nil, nil
	}
	for len(given) < n {
		if p.i >= len(p.words) {
			return nil, p.fail(at, "", "", fmt.Errorf("option %q %w", name, ErrMissing))
		}
		given = append(given, p.words[p.i].text)
		p.i++
	}
	return given, nil
}

// maybe completes the words of an option that takes one or none.
func (p *parser) maybe(given []string) []string {
	if len(given) == 0 && p.i < len(p.words) {
		if w := p.words[p.i].text; w == "" || w[0] != '-' && w[0] != '!' {
			given = append(given, w)
			p.i++
		}
	}
	return given
}

// locate puts an option's error in its place.
func (p *parser) locate(at int, want string, err error) error {
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		return err
	}
	e := &SyntaxError{Column: p.words[at].column, Token: p.words[at].text, Want: want, Err: err}
	for i := at + 1; i < p.i; i++ {
		e.Token += " " + p.words[i].text
	}
	var oe *option.Error
	if errors.As(err, &oe) {
		e.Extension = oe.Extension
	}
	return e
}

// cut takes a joined value off an option: --dport=22, -ptcp.
func cut(w string) (name, value string, joined bool) {
	switch {
	case strings.HasPrefix(w, "--"):
		return strings.Cut(w, "=")
	case len(w) > 2 && w[0] == '-':
		if h := headerOption(w[:2]); h != nil && h.args > 0 {
			return w[:2], w[2:], true
		}
	}
	return w, "", false
}

// imply loads the match that is named after the rule's protocol, once, as
// iptables does for "-p tcp --dport 22".
func (p *parser) imply() option.Instance {
	c := p.b.context()
	if c.Proto == 0 || p.implied {
		return nil
	}
	name := c.Proto.String()
	switch {
	case c.Proto == nf.ICMPv6:
		name = "icmp6"
	case p.mh:
		name = "mh"
	}
	e, ok := match.Find(name)
	if !ok || !e.Known(p.family) {
		return nil
	}
	p.implied = true
	return p.load(e, false)
}

// load begins a match or, with target, a target.
func (p *parser) load(e option.Extension, target bool) option.Instance {
	c := p.b.context()
	c.Family = p.family
	in := e.Start(c)
	p.order = append(p.order, loaded{e, in, target})
	return in
}

// rules adds what was read to out: a rule for each pair of addresses.
func (p *parser) rules(out []Rule) ([]Rule, error) {
	for _, l := range p.order {
		if !l.target {
			p.b.add(l.inst.Value().(match.Match))
		}
	}
	t := p.target
	switch {
	case p.targeted != nil:
		t = p.targeted.Value().(target.Target)
	case t == nil:
		t = target.None
	}
	several := max(len(p.from), 1)*max(len(p.to), 1) > 1
	if several && (inverted(p.from) || inverted(p.to)) {
		return nil, p.whole(errSeveralNot)
	}
	b := &p.b
	for i := range max(len(p.from), 1) {
		for j := range max(len(p.to), 1) {
			if several { // making a rule changes the builder
				each := p.b
				each.order = slices.Clone(p.b.order)
				b = &each
			}
			if len(p.from) > 0 {
				b.add(p.from[i])
			}
			if len(p.to) > 0 {
				b.add(p.to[j])
			}
			r := b.rule(t)
			if r.err != nil {
				return nil, p.whole(r.err)
			}
			r.counters, r.preset = p.counters, p.preset
			out = append(out, r)
		}
	}
	return out, nil
}

// whole is the error of a rule whose words were fine one by one.
func (p *parser) whole(err error) error {
	e := &SyntaxError{Column: 1, Err: err}
	var m *MatchError
	if errors.As(err, &m) {
		e.Extension = m.Extension
		for _, w := range p.words {
			if w.text == m.Extension && m.Extension != "" {
				e.Column, e.Token = w.column, w.text
				break
			}
		}
		e.Err = m.Err
		var oe *option.Error
		if errors.As(m.Err, &oe) {
			e.Err = oe.Err
		}
	}
	return e
}
