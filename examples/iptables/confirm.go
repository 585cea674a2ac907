package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The letters of options that have no short spelling, as owner.
const (
	confirmTime = 0x02 // iptables-restore --confirm
	revert      = 0x03
	status      = 0x04
	extend      = 0x05
)

// confirmOptions are those of iptables-confirm.
var confirmOptions = []option{
	{revert, "revert", none}, {status, "status", none}, {extend, "extend", required},
	{'V', "version", none}, {'h', "help", none}, {owner, "owner", required},
}

// confirming is how iptables-confirm was called.
type confirming struct {
	do    byte // 0: confirm
	time  time.Duration
	owner string
}

// errNoTrial is that there is nothing to confirm.
var errNoTrial = &failure{
	form: plain, code: exitOther,
	text: "Nothing is on probation. Its time is up, or it was confirmed or reverted already.",
}

// confirm runs iptables-confirm: what is on probation is for both families, as the
// owner is.
func (t tool) confirm(ctx context.Context, w world, args []string) error {
	how, done, err := t.confirming(w, args)
	if err != nil || done {
		return err
	}
	fw, err := t.open(ctx, w, how.owner)
	if err != nil {
		return err
	}
	defer fw.Close()
	p, err := fw.Probation(ctx)
	if err == nil {
		err = how.carryOut(ctx, w.stdout, p)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if how.do == status || how.do == extend {
		return errNoTrial
	}
	// A change of no table takes away what an ended one left.
	if err := fw.Apply(ctx, table.NewRuleset()); err != nil {
		return err
	}
	return errNoTrial
}

// confirming reads the arguments. Done says that there is no more to do.
func (t tool) confirming(w world, args []string) (how confirming, done bool, err error) {
	options, bad := getopt(confirmOptions, args)
	if bad != "" {
		return how, false, t.unrecognized(bad, fmt.Sprintf("Try `%s -h' for more information.", t.name()))
	}
	for _, o := range options {
		switch o.letter {
		case 0:
			return how, false, errUnknown
		case revert, status, extend:
			if how.do != 0 && how.do != o.letter {
				return how, false, badUsage("--revert, --status and --extend do not go together")
			}
			how.do = o.letter
			if o.letter != extend {
				continue
			}
			if how.time, err = duration("--extend", o.value); err != nil {
				return how, false, err
			}
		case owner:
			how.owner = o.value
		case 'V':
			_, err := fmt.Fprintf(w.stdout, "%s %s\n", t.name(), version)
			return how, true, err
		case 'h':
			_, err := io.WriteString(w.stdout, t.confirmHelp())
			return how, true, err
		}
	}
	return how, false, nil
}

func (how confirming) carryOut(ctx context.Context, out io.Writer, p *backend.Probation) error {
	switch how.do {
	case revert:
		if err := p.Revert(ctx); err != nil {
			return err
		}
		return told(fmt.Fprintln(out, "Reverted: the rules are those from before."))
	case status, extend:
		if how.do == extend {
			if err := p.Extend(ctx, how.time); err != nil {
				return err
			}
		}
		d, err := p.Left(ctx)
		if err != nil {
			return err
		}
		return told(fmt.Fprintf(out, "On probation: %v left.\n", shown(d)))
	}
	if err := p.Confirm(ctx); err != nil {
		return err
	}
	return told(fmt.Fprintln(out, "Confirmed: the new rules stay."))
}

// told is the error of having said something.
func told(_ int, err error) error { return err }

// shown is a time as a person reads it.
func shown(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}

// duration reads a time: Go's ("1m30s"), or a number of seconds.
func duration(option, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if n, nerr := strconv.ParseUint(text, 10, 31); nerr == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	const year = 365 * 24 * time.Hour
	if err != nil || d < time.Millisecond || d > year {
		return 0, badUsage("%s: `%s' is no time: seconds, or like 1m30s, from 1ms to a year", option, text)
	}
	return d, nil
}

// section is a table of a file that is restored on probation.
type section struct {
	id    table.ID
	steps []step
}

// triesOnProbation is how often a file is planned anew when others change the tables.
const triesOnProbation = 20

// try puts all tables of the file on probation, in one transaction.
func (r *restorer) try() error {
	var out bytes.Buffer
	edit := func(e *backend.Edit) error {
		out.Reset()
		for _, x := range r.sections {
			s := &session{r.ctx, e, x.id, &out}
			for _, st := range x.steps {
				if err := st.do(s); err != nil {
					return at(st.line, err)
				}
			}
		}
		return nil
	}
	var p *backend.Probation
	var err error
	for range triesOnProbation {
		var plan *backend.Plan
		if plan, err = r.fw.PlanEdit(r.ctx, edit); err == nil && !r.test {
			p, err = plan.Try(r.ctx, r.trial)
		}
		if !errors.Is(err, backend.ErrConflict) {
			break
		}
	}
	if _, werr := out.WriteTo(r.out); err == nil {
		err = werr
	}
	if err != nil || r.test {
		return err
	}
	return r.say(p)
}

// say tells what to do, and how much time there is.
func (r *restorer) say(p *backend.Probation) error {
	left, err := p.Left(r.ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errNoTrial
	case err != nil:
		return err
	case left == 0:
		return told(fmt.Fprintln(r.out, "Nothing changes, and there is nothing to confirm."))
	}
	c := tool{family: r.family, job: confirm}.name()
	if r.owner != "" {
		c += " --owner " + r.owner
	}
	return told(fmt.Fprintf(r.out, "On probation: %v left to run `%s', or the old rules come back.\n"+
		"(`%[2]s --revert' goes back at once.)\n", shown(left), c))
}
