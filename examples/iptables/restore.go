package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// restoring is how iptables-restore was called.
type restoring struct {
	counters bool          // -c: as the file has them
	keep     bool          // -n: what is there stays
	test     bool          // -t: nothing is sent
	verbose  bool          // -v
	only     string        // -T: the one table that is restored
	chosen   bool          // -T was given
	trial    time.Duration // --confirm: how long it is on probation; 0: it is not
	owner    string
	file     string // "": the standard input
}

// restore runs iptables-restore or ip6tables-restore.
func (t tool) restore(ctx context.Context, w world, args []string) error {
	how, done, err := t.restoring(w, args)
	if err != nil || done {
		return err
	}
	in := w.stdin
	if how.file != "" {
		file, err := os.Open(how.file)
		if err != nil {
			return &failure{form: literal, code: exitOther, text: fmt.Sprintf("Can't open %s: %s", how.file, strerror(err))}
		}
		defer file.Close()
		in = file
	}
	fw, err := t.open(ctx, w, how.owner)
	if err != nil {
		return err
	}
	defer fw.Close()
	r := &restorer{tool: t, restoring: how, ctx: ctx, fw: fw, out: w.stdout}
	err = r.read(in)
	if err != nil || how.trial == 0 {
		return err
	}
	return r.try()
}

// restoring reads the arguments. Done says that there is no more to do.
func (t tool) restoring(w world, args []string) (how restoring, done bool, err error) {
	options, bad := getopt(restoreOptions, args)
	if bad != "" {
		return how, false, t.unrecognized(bad, fmt.Sprintf("Try `%s -h' for more information.", t.name()))
	}
	for _, o := range options {
		switch o.letter {
		case 0:
			if how.file != "" {
				return how, false, errUnknown
			}
			how.file = o.value
		case 'c':
			how.counters = true
		case 'n':
			how.keep = true
		case 't':
			how.test = true
		case 'v':
			how.verbose = true
		case 'T':
			how.only, how.chosen = o.value, true
		case owner:
			how.owner = o.value
		case confirmTime:
			if how.trial, err = duration("--confirm", o.value); err != nil {
				return how, false, err
			}
		case 'w':
			if _, err := strconv.ParseUint(o.value, 0, 31); o.has && err != nil {
				return how, false, badUsage("wait seconds not numeric")
			}
		case 'W':
			fmt.Fprintln(w.stderr, "Ignoring deprecated --wait-interval option.")
		case 'V':
			_, err := fmt.Fprintf(w.stdout, "%s %s\n", t.name(), version)
			return how, true, err
		case 'h':
			_, err := io.WriteString(w.stderr, t.restoreHelp())
			return how, true, err
		}
	}
	return how, false, nil
}

// restorer reads a file and commits it table by table.
type restorer struct {
	tool
	restoring
	ctx      context.Context
	fw       *backend.Firewall
	out      io.Writer
	id       table.ID  // of the table that is being read
	steps    []step    // of that table
	sections []section // those before it, where they wait for the end of the file
}

// step is what a line of the file does.
type step struct {
	line int
	do   func(*session) error
}

// read takes the lines in their order. What is wrong with a line is a step that
// fails, so that it is told after what is wrong before it.
func (r *restorer) read(in io.Reader) error {
	for l, err := range table.Lines(in) {
		if err != nil {
			failed := r.misread(l, err)
			if r.steps == nil {
				return failed
			}
			r.steps = append(r.steps, step{l.Number, func(*session) error { return failed }})
			return r.commit(l.Number)
		}
		if r.chosen && l.Table.Name() != r.only {
			continue
		}
		if err := r.line(l); err != nil {
			return err
		}
	}
	return nil
}

// line adds a line's step, or commits the table.
func (r *restorer) line(l table.Line) error {
	switch l.Kind {
	case table.Comment:
		if !r.verbose {
			return nil
		}
		if r.steps == nil {
			_, err := fmt.Fprintln(r.out, l.Text)
			return err
		}
		r.add(l, func(s *session) error {
			_, err := fmt.Fprintln(s.out, l.Text)
			return err
		})
	case table.Begin:
		r.id, r.steps = l.Table.For(r.family), []step{}
		r.add(l, r.begin)
	case table.Declare:
		r.add(l, func(s *session) error { return r.declare(s, l) })
	case table.Command:
		r.add(l, r.parseLine(l))
	case table.Commit:
		return r.commit(l.Number)
	}
	return nil
}

func (r *restorer) add(l table.Line, do func(*session) error) {
	if do != nil {
		r.steps = append(r.steps, step{l.Number, do})
	}
}

// commit makes one transaction of the table's steps; with --confirm they wait.
func (r *restorer) commit(line int) error {
	steps := r.steps
	r.steps = nil
	if r.trial != 0 {
		r.sections = append(r.sections, section{r.id, steps})
		return nil
	}
	var out bytes.Buffer
	edit := func(e *backend.Edit) error {
		out.Reset()
		s := &session{r.ctx, e, r.id, &out}
		for _, st := range steps {
			if err := st.do(s); err != nil {
				return at(st.line, err)
			}
		}
		return nil
	}
	var err error
	if r.test {
		_, err = r.fw.PlanEdit(r.ctx, edit)
	} else {
		err = r.fw.Edit(r.ctx, edit)
	}
	if _, werr := out.WriteTo(r.out); err == nil {
		err = werr
	}
	return at(line, err)
}

// misread words what is wrong with the form of a line.
func (r *restorer) misread(l table.Line, err error) error {
	var se *rule.SyntaxError
	if !errors.As(err, &se) {
		return err
	}
	switch {
	case errors.Is(err, table.ErrOutside):
		return &failure{form: plain, code: exitOther, line: se.Line}
	case errors.Is(err, table.ErrNoTable) && se.Token == "":
		err = badUsage("%s: line %d table name invalid", r.name(), se.Line)
	case errors.Is(err, table.ErrNoTable):
		err = badUsage("%s: unable to initialize table '%s'", r.name(), se.Token)
	case errors.Is(err, table.ErrNoCommit) && se.Token == "":
		return &failure{form: literal, code: exitOther, text: fmt.Sprintf("%s: COMMIT expected at line %d", r.name(), se.Line)}
	case errors.Is(err, table.ErrNoCommit):
		err = badArgument(se.Token)
	default:
		err = badUsage("%s: line %d %v", r.name(), se.Line, se.Err)
	}
	return at(se.Line, err)
}
