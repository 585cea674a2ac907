package table

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// maxLine is how long a line of save text may be, in bytes; iptables-restore
// takes 10,239.
const maxLine = 1 << 20

// Reasons of errors in save text that no rule has; tested with errors.Is.
var (
	ErrNoCommit = errors.New("COMMIT missing")
	ErrOutside  = errors.New("outside a table")
	ErrCounters = errors.New("bad counters")
)

// Kind is what a line of save text is.
type Kind uint8

// The kinds of lines. Empty lines are left out.
const (
	Comment Kind = iota + 1 // "# …"
	Begin                   // "*filter"
	Declare                 // ":INPUT DROP [0:0]"
	Command                 // "-A INPUT …", with or without counters before it
	Commit                  // "COMMIT"
)

// Line is one line of save text. Fields that its kind does not have are zero.
type Line struct {
	Kind     Kind
	Number   int         // from 1
	Text     string      // the line as it stands, without its end
	Table    ID          // the table that it is in, for both families; none for a comment outside tables
	Chain    string      // Declare: the chain
	Policy   string      // Declare: ACCEPT, DROP, or - for none
	Counters nf.Counters // Declare and Command: "[packets:bytes]"
	Counted  bool        // whether there were counters
	Column   int         // Command: where the command begins in Text, from 1, after the counters
}

// Command is the command without its counters.
func (l Line) Command() string { return l.Text[l.Column-1:] }

// Lines reads save text line by line, for who wants to carry it out as
// iptables-restore does, command by command: Parse makes a Ruleset of it. It
// sees to the lines' form and order, not to what commands say. The first error,
// which ends it, is a *rule.SyntaxError, or what r returned.
func Lines(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 0, 64<<10), maxLine)
		s.Split(splitLines)
		var table ID
		number := 0
		for s.Scan() {
			number++
			l := Line{Number: number, Text: s.Text(), Table: table}
			if l.Text == "" {
				continue
			}
			err := l.read()
			if err != nil {
				yield(l, err)
				return
			}
			table = l.Table
			if l.Kind == Commit {
				table = 0
			}
			if !yield(l, nil) {
				return
			}
		}
		switch err := s.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(Line{}, &rule.SyntaxError{Line: number + 1, Column: maxLine, Err: err})
		case err != nil:
			yield(Line{}, err)
		case table != 0:
			yield(Line{}, &rule.SyntaxError{Line: number + 1, Column: 1, Want: "COMMIT", Err: fmt.Errorf("%w: the text ends within table %v", ErrNoCommit, table)})
		}
	}
}

// splitLines is bufio.ScanLines that leaves a carriage return in the line, as
// iptables-restore does, where it then stands for itself or is an error.
func splitLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// read finds out what a line is; l.Table is the table that it is in.
func (l *Line) read() error {
	switch {
	case l.Text[0] == '#':
		l.Kind = Comment
	case l.Table == 0 && l.Text[0] != '*':
		return l.fail(1, l.Text, "*filter or another table", ErrOutside)
	case l.Table == 0:
		l.Kind = Begin
		return l.begin()
	case l.Text == "COMMIT":
		l.Kind = Commit
	case l.Text[0] == '*':
		return l.fail(1, l.Text, "COMMIT", fmt.Errorf("%w: table %v is not finished", ErrNoCommit, l.Table))
	case l.Text[0] == ':':
		l.Kind = Declare
		return l.declare()
	default:
		l.Kind = Command
		return l.command()
	}
	return nil
}

func (l *Line) fail(column int, token, want string, err error) error {
	return &rule.SyntaxError{Line: l.Number, Column: column, Token: token, Want: want, Err: err}
}

func (l *Line) begin() error {
	name, _ := cutWord(l.Text, 1)
	id, ok := Named(name)
	if !ok {
		return l.fail(2, name, "filter, nat, mangle, raw or security", ErrNoTable)
	}
	l.Table = id
	return nil
}

// declare reads ":CHAIN POLICY [packets:bytes]"; what follows is not looked at.
func (l *Line) declare() error {
	name, i := cutWord(l.Text, 1)
	if name == "" {
		return l.fail(2, "", "a chain", errors.New("chain name missing"))
	}
	policy, j := cutWord(l.Text, i)
	if policy == "" {
		return l.fail(len(l.Text)+1, "", "ACCEPT, DROP or -", errors.New("policy missing"))
	}
	l.Chain, l.Policy = name, policy
	counters, end := cutWord(l.Text, j)
	if counters == "" {
		return nil
	}
	var ok bool
	if l.Counters, ok = parseCounters(counters); !ok {
		return l.fail(end-len(counters)+1, counters, "[packets:bytes]", ErrCounters)
	}
	l.Counted = true
	return nil
}

// command reads the counters before a command.
func (l *Line) command() error {
	l.Column = 1 + len(l.Text) - len(strings.TrimLeft(l.Text, blanks))
	if l.Text[0] != '[' {
		return nil
	}
	end := strings.IndexByte(l.Text, ']')
	var ok bool
	if end > 0 {
		l.Counters, ok = parseCounters(l.Text[:end+1])
	}
	if !ok {
		return l.fail(1, l.Text, "[packets:bytes]", ErrCounters)
	}
	l.Counted = true
	rest := l.Text[end+1:]
	l.Column = end + 2 + len(rest) - len(strings.TrimLeft(rest, blanks))
	return nil
}

// parseCounters reads "[packets:bytes]".
func parseCounters(s string) (c nf.Counters, ok bool) {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return c, false
	}
	packets, bytes, _ := strings.Cut(s[1:len(s)-1], ":")
	var errs [2]error
	c.Packets, errs[0] = strconv.ParseUint(packets, 10, 64)
	c.Bytes, errs[1] = strconv.ParseUint(bytes, 10, 64)
	return c, errs == [2]error{}
}
