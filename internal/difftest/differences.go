package difftest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Peer is one of the real commands.
type Peer struct {
	NFT    bool      // iptables-nft; else iptables-legacy
	Family nf.Family // IPv6: ip6tables
}

// String is the command's name.
func (p Peer) String() string {
	s := "iptables"
	if p.Family == nf.IPv6 {
		s = "ip6tables"
	}
	if p.NFT {
		return s + "-nft"
	}
	return s + "-legacy"
}

// Kind is how a peer differs from us.
type Kind string

// The kinds of difference.
const (
	Refuses Kind = "refuses" // the peer refuses what we accept
	Accepts Kind = "accepts" // the peer accepts what we refuse
	Saves   Kind = "saves"   // the peer saves another text
)

// Difference is an entry of the list of known differences.
type Difference struct {
	Line    int // where it stands
	Peer    *regexp.Regexp
	Kind    Kind
	Rule    *regexp.Regexp // of Line.String
	Message *regexp.Regexp // of why the one that refuses does; nil: any
	Replace *regexp.Regexp // of Saves: what in either text is made the same
	With    string         // by writing this in its place
	Reason  string
	Example Line // a line that differs so, with every peer of that family
}

// ParseDifferences reads a list of blocks of "key: value" lines, with blank
// lines between them and comments behind "#". The keys are peer, refuses,
// accepts or saves (a regular expression of the line), message, replace, with,
// reason and example; with and message may be left out.
func ParseDifferences(text string) (list []*Difference, err error) {
	var d *Difference
	n := 0
	for line := range strings.Lines(text + "\n\n") {
		n++
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case line == "" && d == nil:
			continue
		case line == "":
			if err := d.check(); err != nil {
				return nil, fmt.Errorf("line %d: %w", d.Line, err)
			}
			list, d = append(list, d), nil
			continue
		case d == nil:
			d = &Difference{Line: n}
		}
		if err := d.set(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return list, nil
}

func (d *Difference) set(line string) (err error) {
	key, value, ok := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch {
	case !ok:
		return fmt.Errorf("not a key and a value: %q", line)
	case key == "peer":
		d.Peer, err = regexp.Compile("^(" + value + ")$")
	case key == string(Refuses), key == string(Accepts), key == string(Saves):
		d.Kind = Kind(key)
		d.Rule, err = regexp.Compile(value)
	case key == "message":
		d.Message, err = regexp.Compile(value)
	case key == "replace":
		d.Replace, err = regexp.Compile(value)
	case key == "with":
		d.With = value
	case key == "reason":
		d.Reason = value
	case key == "example":
		if d.Example, ok = ParseLine(value); !ok {
			return fmt.Errorf("not a line: %q", value)
		}
	default:
		return fmt.Errorf("no such key: %q", key)
	}
	return err
}

func (d *Difference) check() error {
	switch {
	case d.Peer == nil || d.Rule == nil:
		return fmt.Errorf("whose rules, and which?")
	case d.Reason == "" || d.Example == Line{}:
		return fmt.Errorf("a difference wants a reason and an example")
	case !d.Rule.MatchString(d.Example.String()):
		return fmt.Errorf("the example is another difference")
	case (d.Kind == Saves) != (d.Replace != nil), d.Kind == Saves && d.Message != nil:
		return fmt.Errorf("replace is for what is saved, and message for the rest")
	}
	return nil
}

// Concerns says whether the entry is about a line at a peer: its regular
// expression is of the line or of what we save, where no option is cut short.
func (d *Difference) Concerns(p Peer, kind Kind, l Line, saved ...string) bool {
	return d.Kind == kind && d.Peer.MatchString(p.String()) &&
		(d.Rule.MatchString(l.String()) || slices.ContainsFunc(saved, d.Rule.MatchString))
}

// Explains says whether the entry explains that a line is refused by the one
// and accepted by the other, with that message.
func (d *Difference) Explains(p Peer, kind Kind, l Line, message string, saved ...string) bool {
	return d.Concerns(p, kind, l, saved...) && (d.Message == nil || d.Message.MatchString(message))
}

// Apply is a text with what makes it differ written alike.
func (d *Difference) Apply(saved string) string {
	return strings.TrimRight(d.Replace.ReplaceAllString(saved, d.With), " ")
}
