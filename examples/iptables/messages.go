package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The exit codes of iptables.
const (
	exitOther    = 1 // something went wrong
	exitUsage    = 2 // the arguments are wrong
	exitVersion  = 3 // no such table here
	exitResource = 4 // not permitted, or the kernel did not take it
)

// form is how a failure is worded.
type form uint8

const (
	plain   form = iota // iptables: TEXT
	usage               // iptables v1.8.9 (gatehouse): TEXT, and where help is
	bare                // TEXT, and where help is
	notice              // iptables v1.8.9 (gatehouse): TEXT
	literal             // TEXT
)

// failure is an error in the words of iptables.
type failure struct {
	form form
	code int
	text string
	line int // of the file that is restored; 0: none
	// before is a line that comes first; "": none.
	before string
}

// Error is the text without what stands around it.
func (f *failure) Error() string { return f.text }

// The failures that have no parameters.
var (
	errNoChain   = &failure{form: plain, code: exitOther, text: "No chain/target/match by that name."}
	errBadRule   = &failure{form: plain, code: exitOther, text: "Bad rule (does a matching rule exist in that chain?)."}
	errExists    = &failure{form: plain, code: exitOther, text: "Chain already exists."}
	errFile      = &failure{form: plain, code: exitOther, text: "File exists."}
	errNotEmpty  = &failure{form: plain, code: exitOther, text: "Directory not empty."}
	errLinks     = &failure{form: plain, code: exitOther, text: "Too many links."}
	errLoop      = &failure{form: plain, code: exitOther, text: "Too many levels of symbolic links."}
	errBuiltIn   = &failure{form: plain, code: exitOther, text: "Bad built-in chain name."}
	errPolicy    = &failure{form: plain, code: exitOther, text: "Bad policy name."}
	errInsertion = &failure{form: plain, code: exitOther, text: "Index of insertion too big."}
	errReplacing = &failure{form: plain, code: exitOther, text: "Index of replacement too big."}
	errDeletion  = &failure{form: plain, code: exitOther, text: "Index of deletion too big."}
	errCounter   = &failure{form: plain, code: exitOther, text: "Index of counter too big."}
	errTrial     = &failure{form: notice, code: exitResource, text: "A change is on probation: run `iptables-confirm', or `iptables-confirm --revert', first."}
	errHelp      = &failure{form: bare, code: exitUsage}
	errNATDrop   = badUsage("\nThe \"nat\" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n")
)

// badUsage is a failure of the arguments.
func badUsage(format string, args ...any) *failure {
	return &failure{form: usage, code: exitUsage, text: fmt.Sprintf(format, args...)}
}

// badArgument is a word that nobody asked for.
func badArgument(word string) *failure {
	return &failure{form: bare, code: exitUsage, text: fmt.Sprintf("Bad argument `%s'", word)}
}

// unknownOption is an option that nobody knows.
func unknownOption(word string) *failure { return badUsage("unknown option %q", word) }

// invalid is what no kernel takes. Iptables sends it, is refused, and refers to
// dmesg; here the reason is known.
func invalid(reason string) *failure {
	return &failure{form: plain, code: exitOther, text: "Invalid argument. " + reason}
}

// syntax words the error of a rule that the library could not read.
func syntax(err error) error {
	var se *rule.SyntaxError
	switch {
	case !errors.As(err, &se):
		return badUsage("%v", err)
	case errors.Is(err, rule.ErrUnknownOption):
		return unknownOption(se.Token)
	case errors.Is(err, rule.ErrMissing):
		return badUsage("option %q requires an argument", se.Token)
	case errors.Is(err, rule.ErrUnknownMatch):
		_, name, _ := strings.Cut(se.Token, " ")
		return badUsage("Couldn't load match `%s':No such file or directory\n", name)
	case errors.Is(err, rule.ErrTwice) && se.Extension == "":
		name, _, _ := strings.Cut(se.Token, " ")
		return badUsage("multiple %s flags not allowed", name)
	case errors.Is(err, rule.ErrProtocol), errors.Is(err, rule.ErrSYN):
		return invalid(se.Extension + " " + se.Err.Error())
	case se.Err == nil:
		return badUsage("%v", err)
	}
	return badUsage("%s", wrong(se))
}

// worded is an error in the words of iptables, whatever it was.
func worded(err error) *failure {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, fs.ErrPermission):
		text := "Could not fetch rule set generation id: Permission denied (you must be root)"
		return &failure{form: notice, code: exitResource, text: text + "\n" + err.Error()}
	case errors.Is(err, backend.ErrOnProbation):
		return errTrial
	case errors.Is(err, table.ErrLoop):
		return errLoop
	case errors.Is(err, backend.ErrInvalid) && len(backend.Errors(err)) > 0:
		return invalid(reason(backend.Errors(err)[0]))
	case errors.Is(err, context.Canceled):
		return &failure{form: notice, code: exitOther, text: "interrupted"}
	}
	if f := refusedByKernel(err); f != nil {
		return f
	}
	return &failure{form: notice, code: exitResource, text: err.Error()}
}

// reason is what is wrong with a ruleset, and where.
func reason(e *backend.Error) string {
	var where []string
	if e.Chain != "" {
		where = append(where, e.Chain)
	}
	if e.Rule > 0 {
		where = append(where, fmt.Sprintf("rule %d", e.Rule))
	}
	text := strings.TrimPrefix(e.Err.Error(), backend.ErrInvalid.Error()+": ")
	if e.Hint != "" {
		text = e.Hint
	}
	return strings.TrimPrefix(strings.Join(where, " ")+": "+text, ": ")
}

// exit prints an error as iptables does and is the exit code.
func (t tool) exit(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	f := worded(err)
	if f.before != "" {
		fmt.Fprintln(stderr, f.before)
	}
	help := fmt.Sprintf("Try `%s -h' or '%[1]s --help' for more information.\n", t.name())
	if f.line > 0 {
		help = fmt.Sprintf("Error occurred at line: %d\n", f.line) + help
	}
	switch f.form {
	case plain:
		if f.line > 0 {
			where := fmt.Sprintf("%s: line %d failed: %s", t.name(), f.line, f.text)
			fmt.Fprintln(stderr, strings.TrimSuffix(where, ": "))
			break
		}
		fmt.Fprintf(stderr, "%s: %s\n", t.name(), f.text)
	case usage:
		fmt.Fprintf(stderr, "%s %s: %s\n%s", t.name(), version, f.text, help)
	case bare:
		if f.text != "" {
			fmt.Fprintln(stderr, f.text)
		}
		fmt.Fprint(stderr, help)
	case notice:
		fmt.Fprintf(stderr, "%s %s: %s\n", t.name(), version, f.text)
	case literal:
		fmt.Fprintln(stderr, f.text)
	}
	return f.code
}

// at is the failure with the line of a restored file.
func at(line int, err error) error {
	if err == nil {
		return nil
	}
	f := *worded(err)
	if f.line == 0 {
		f.line = line
	}
	return &f
}
