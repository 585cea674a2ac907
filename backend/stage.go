package backend

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/delta"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/staging"
)

// way is a change on its way to the kernel. Where that takes more than one
// transaction there is a journal, so that others, and whoever comes after a process
// that died, can tell what is not, or no more, a part of the ruleset.
type way struct {
	stage, sweep [][]driver.Op
	turn         []driver.Op
	journal      staging.Journal
	written      bool // the journal is in the kernel, or goes there with the next transaction
	unlock       func() error
	commits      uint32 // of ours, since the state was read
}

// way finds the transactions of a plan.
func (f *Firewall) way(p *Plan) (w *way, err error) {
	w = &way{unlock: func() error { return nil }}
	w.stage, w.turn, w.sweep, err = p.delta.Batches()
	if err != nil {
		return nil, f.driverError(p.op, err)
	}
	w.turn = append(w.turn, p.last...)
	w.journal = staging.New(f.cfg.Owner, staging.Of(w.stage...), staging.Of(w.sweep...))
	return w, nil
}

// reserve is how much of a transaction the journal may need.
const reserve = 512

// most is how many bytes a transaction may have beside; 0: any number.
func (st *state) most() int { return max(st.maxBatch-reserve, min(st.maxBatch, 1)) }

// begin writes the journal, and takes the lock where anything is staged. Hosts
// that know no owners of tables have neither: what a process leaves there that dies
// stays until somebody removes it.
func (f *Firewall) begin(ctx context.Context, p *Plan, w *way) error {
	if len(w.stage)+len(w.sweep) == 0 {
		return nil
	}
	begin := w.journal.Begin()
	both := slices.Concat(begin, w.turn)
	if len(w.stage) == 0 && p.delta.Fits(both) {
		w.turn, w.written = both, true
	} else {
		unlock, err := f.drv.Lock(ctx, w.journal.Lock())
		switch {
		case errors.Is(err, driver.ErrUnsupported):
			return nil
		case err != nil:
			return f.driverError(p.op, err)
		}
		w.unlock, w.written = unlock, true
		w.commits++
		if len(w.stage) > 0 && p.delta.Fits(slices.Concat(begin, w.stage[0])) {
			w.stage[0] = slices.Concat(begin, w.stage[0])
		} else {
			w.stage = append(delta.Split(begin, p.st.maxBatch), w.stage...)
		}
		w.turn = slices.Concat(w.turn, w.journal.Turn())
	}
	if n := len(w.sweep) - 1; n >= 0 {
		w.sweep[n] = slices.Concat(w.sweep[n], w.journal.End())
	}
	return nil
}

// scope are the owner's tables, and journals. elements chooses sets of the first.
func (f *Firewall) scope(elements func(*program.Table, *program.Set) bool) driver.Scope {
	s := driver.Scope{Table: func(fam program.Family, name string) bool {
		return f.owned(fam, name) || staging.Is(f.cfg.Owner, name)
	}}
	if elements != nil {
		s.Elements = func(t *program.Table, set *program.Set) bool {
			return staging.Is(f.cfg.Owner, t.Name) || elements(t, set)
		}
	}
	return s
}

// journals reads journals alone.
func (f *Firewall) journals(ctx context.Context) ([]staging.Journal, error) {
	got, err := f.drv.Read(ctx, driver.Scope{Table: func(_ program.Family, name string) bool {
		return staging.Is(f.cfg.Owner, name)
	}})
	if err != nil {
		return nil, err
	}
	return staging.Read(got.Program, f.cfg.Owner), nil
}

// visible is what was read without what is not a part of the ruleset, but for what
// the journal with the token names.
func (f *Firewall) visible(p *program.Program, but string) *program.Program {
	return staging.Hide(p, f.cfg.Owner, but, staging.Read(p, f.cfg.Owner))
}

// Sweep takes away what processes of this owner left that died in the middle of a
// change; what a process that lives has put in place it leaves alone. Every change
// does that first, and opening a Firewall. Nothing to take away is no error.
func (f *Firewall) Sweep(ctx context.Context) error {
	js, err := f.journals(ctx)
	if err != nil {
		return f.driverError(opSweep, err)
	}
	return f.tidy(ctx, js)
}

// opSweep is Sweep's name in errors.
const opSweep = "sweep"

// tidy takes away what dead processes left. What cannot be taken away stays hidden.
func (f *Firewall) tidy(ctx context.Context, js []staging.Journal) error {
	for _, j := range js {
		if j.Live {
			continue
		}
		if _, err := f.clean(ctx, j, true); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var refused *driver.CommitError
			if !errors.As(err, &refused) {
				return f.driverError(opSweep, err)
			}
		}
	}
	return nil
}

// cleanTries bounds how often what is left over is looked for while others commit.
const cleanTries = 10

// clean takes away what a journal names and does not belong to the ruleset, but for
// what somebody uses by now, and says in how many commits. Somebody else may have
// done so, where it was written.
func (f *Firewall) clean(ctx context.Context, j staging.Journal, written bool) (commits uint32, err error) {
	for try := range cleanTries {
		if try > 0 {
			if err := pause(ctx, try); err != nil {
				return commits, err
			}
		}
		got, rerr := f.drv.Read(ctx, f.scope(nil))
		if rerr != nil {
			return commits, rerr
		}
		if written {
			js := staging.Read(got.Program, f.cfg.Owner)
			i := slices.IndexFunc(js, func(x staging.Journal) bool { return x.Token == j.Token })
			if i < 0 {
				return commits, nil
			}
			j = js[i]
		}
		n, cerr := f.commitAll(ctx, delta.Split(j.Undo(got.Program), got.MaxBatch), got.Generation)
		commits += n
		if err = cerr; err == nil || !errors.Is(err, driver.ErrConflict) {
			return commits, err
		}
	}
	return commits, err
}

// commitAll commits transactions as long as nobody else does, from a generation on.
func (f *Firewall) commitAll(ctx context.Context, batches [][]driver.Op, at uint32) (n uint32, err error) {
	for _, ops := range batches {
		if err := f.drv.Commit(ctx, driver.Batch{Generation: at + n, Ops: ops}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// unstageTime is how long taking back may take, though the caller's context ended.
const unstageTime = 5 * time.Second

// unstage takes back what was put in place for a switch that did not happen. What
// it leaves the next change takes away.
func (f *Firewall) unstage(ctx context.Context, w *way) {
	if len(w.stage) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unstageTime)
	defer cancel()
	n, _ := f.clean(ctx, w.journal, w.written)
	w.commits += n
}

// sweep takes away what nothing refers to any more. That some of it could not be
// taken away (somebody refers to it now, or ctx ended) leaves it for the next
// change: the ruleset in force is what was asked for. To Remove it is a failure.
// Where others came in between it looks again, lest it takes what is theirs by now.
func (f *Firewall) sweep(ctx context.Context, p *Plan, w *way, at uint32) error {
	if len(w.sweep) == 0 {
		return nil
	}
	err := driver.ErrConflict
	if at != 0 {
		_, err = f.commitAll(ctx, w.sweep, at)
	}
	var refused *driver.CommitError
	if errors.Is(err, driver.ErrConflict) || errors.As(err, &refused) {
		_, err = f.clean(ctx, w.journal.Turned(), w.written)
	}
	if err != nil && p.op == opRemove {
		return f.driverError(p.op, err)
	}
	return nil
}

// waitTime is how long a change waits for a live process that has things of the same
// names in place; waitPause is how often it looks.
const (
	waitTime  = 10 * time.Second
	waitPause = 2 * time.Millisecond
)

// wait waits while a process that lives has things in place of names that a change
// needs. Where it had to, the change must be planned anew: errStale.
func (f *Firewall) wait(ctx context.Context, p *Plan, w *way) error {
	if !f.blocked(p.st.journals, w) {
		return nil
	}
	for end := time.Now().Add(waitTime); time.Now().Before(end); {
		t := time.NewTimer(waitPause)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		js, err := f.journals(ctx)
		if err != nil {
			return f.driverError(p.op, err)
		}
		if !f.blocked(js, w) {
			return errStale
		}
	}
	return &Error{Op: p.op, Err: ErrConflict, Hint: "another process of this owner is in the middle of a change"}
}

// blocked says whether journals name what a change needs; its own does not count.
func (f *Firewall) blocked(js []staging.Journal, w *way) bool {
	return slices.ContainsFunc(js, func(j staging.Journal) bool {
		return j.Token != w.journal.Token && j.Live && (j.Names(w.stage...) || j.Names(w.turn))
	})
}
