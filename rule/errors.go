package rule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Reasons why a rule cannot be programmed; tested with errors.Is.
var (
	ErrNilMatch = errors.New("nil match")
	ErrNoTarget = errors.New("no target: target.None says that none is wanted")
	ErrTwice    = errors.New("given twice")
	ErrFamily   = errors.New("families exclude each other")
	ErrProtocol = errors.New("needs another -p")
	ErrSYN      = errors.New("only works on TCP SYN packets: needs -m tcp with --syn, or --tcp-flags that want SYN")
)

// Reasons why an option was refused; tested with errors.Is.
var (
	// ErrOnce is an option that stands there once more than it may.
	ErrOnce = option.ErrOnce
	// ErrNoInvert is a ! before an option that has no opposite.
	ErrNoInvert = option.ErrNoInvert
)

// RangeError is a number that an option does not take, or a word that is none:
// for errors.As.
type RangeError = option.RangeError

// MatchError is what is wrong with a match or target of a rule.
type MatchError struct {
	Extension string // its name; "" for a header match
	Err       error
}

// Error is the reason, after the extension's name where it does not say it itself.
func (e *MatchError) Error() string {
	s := e.Err.Error()
	if e.Extension == "" || strings.HasPrefix(s, e.Extension+": ") {
		return s
	}
	return e.Extension + ": " + s
}

// Unwrap is the reason.
func (e *MatchError) Unwrap() error { return e.Err }

type familyError struct{ a, b nf.Family }

func (e *familyError) Error() string {
	return fmt.Sprintf("%v and %v exclude each other", e.a, e.b)
}

func (e *familyError) Unwrap() error { return ErrFamily }

// SyntaxError says where text stopped being a rule.
type SyntaxError struct {
	Line, Column int    // from 1; Line is 0 outside a file
	Token        string // what was read
	Extension    string // whose option it was; "" for a header option
	Want         string // what was expected
	Err          error  // the reason, where there is one beneath
}

// Error is `line 3, column 12: tcp: "--dport 65536": invalid …, expected a port`.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, ", e.Line)
	}
	fmt.Fprintf(&b, "column %d: ", e.Column)
	if e.Extension != "" {
		b.WriteString(e.Extension + ": ")
	}
	if e.Token != "" {
		fmt.Fprintf(&b, "%q: ", e.Token)
	}
	switch err := e.Err.(type) {
	case nil:
		b.WriteString("not understood")
	case *option.Error:
		b.WriteString(err.Err.Error()) // the extension and its words were said
	default:
		b.WriteString(err.Error())
	}
	if e.Want != "" {
		b.WriteString(", expected " + e.Want)
	}
	return b.String()
}

// Unwrap is the reason.
func (e *SyntaxError) Unwrap() error { return e.Err }
