package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/probation"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Probation is a change that ends by itself unless it is confirmed. It is the
// kernel that counts the time: nobody need be alive for it to end.
type Probation struct {
	f    *Firewall
	sets map[tryKey]uint64 // the handles of its sets; nil: it changed nothing
}

type tryKey struct {
	family program.Family
	table  string
}

// The names of the steps of a probation in errors.
const (
	opTry     = "try"
	opConfirm = "confirm"
	opRevert  = "revert"
	opExtend  = "extend"
	opTrial   = "probation"
)

// longestTry is what the kernel takes, and more than anybody waits.
const longestTry = 365 * 24 * time.Hour

// Try is Apply on probation: unless Confirm is called within d, from a millisecond
// to a year, the kernel itself goes back to the rules before, with their counters,
// though this process be dead. Resolution is that of the kernel's clock tick, at most
// 10 milliseconds, which is the shortest time; the clock stands still while the machine is suspended.
//
// While it lasts every other change of the owner's tables is ErrOnProbation.
// What it does not take back: connections that were let in meanwhile stay
// ESTABLISHED, and those that were translated stay so. A declared set whose
// elements change cannot be on probation; the error is ErrInvalid.
func (f *Firewall) Try(ctx context.Context, rs table.Ruleset, d time.Duration) (*Probation, error) {
	if err := inTime(opTry, d); err != nil {
		return nil, err
	}
	var p *Plan
	err := f.change(ctx, opTry, exactly(rs), func(st *state) (_ *Plan, err error) {
		p, err = f.planTry(ctx, st, rs, d)
		return p, err
	})
	if err != nil {
		return nil, err
	}
	return f.tried(ctx, p)
}

// Try is Commit on probation, as Firewall.Try; what it returns for tables that are
// not as they were any more is Commit's ErrConflict.
func (p *Plan) Try(ctx context.Context, d time.Duration) (*Probation, error) {
	if err := inTime(opTry, d); err != nil {
		return nil, err
	}
	f := p.f
	stale := &Error{Op: opTry, Err: fmt.Errorf("%w: the plan is stale", ErrConflict), Hint: "plan again"}
	if p.st.trial != probation.None { // what is left of the last one must go first
		if err := f.settle(ctx, opRevert); err != nil {
			return nil, err
		}
		return nil, stale
	}
	start := time.Now()
	joined, err := f.planTry(ctx, p.st, p.after, d)
	if err != nil {
		return nil, err
	}
	switch err := f.send(ctx, joined); {
	case errors.Is(err, errStale):
		return nil, stale
	case err != nil:
		return nil, err
	}
	f.observe(ctx, joined, 0, start)
	return f.tried(ctx, joined)
}

// tried is what a plan put on probation just now.
func (f *Firewall) tried(ctx context.Context, done *Plan) (*Probation, error) {
	if len(done.last) == 0 {
		return &Probation{f: f}, nil
	}
	p, err := f.Probation(ctx)
	if errors.Is(err, fs.ErrNotExist) { // its time is up already
		return &Probation{f: f, sets: map[tryKey]uint64{}}, nil
	}
	return p, err
}

// inTime refuses a time that nobody can confirm in.
func inTime(op string, d time.Duration) error {
	if d < time.Millisecond || d > longestTry {
		return &Error{Op: op, Err: fmt.Errorf("%w: %v is no time to confirm in", ErrInvalid, d)}
	}
	return nil
}

// planTry plans to have the new rules beside the old, and in force for d.
func (f *Firewall) planTry(ctx context.Context, st *state, rs table.Ruleset, d time.Duration) (*Plan, error) {
	rs, want, err := f.compiled(ctx, opTry, st, f.withKept(st, rs), nil)
	if err != nil {
		return nil, err
	}
	now := f.named(st.flat(), rs)
	for _, t := range now.Tables { // a table for both families may be placed otherwise than before
		if want.Table(t.Family, t.Name) == nil {
			want.Tables = append(want.Tables, &program.Table{Family: t.Family, Name: t.Name})
		}
	}
	joined, err := probation.Join(now, want)
	if err != nil {
		return nil, &Error{Op: opTry, Err: fmt.Errorf("%w: %w", ErrInvalid, err), Hint: "Apply that part first"}
	}
	p, err := f.plan(opTry, st, rs, wanted{program: joined})
	if err != nil {
		return nil, err
	}
	for _, t := range joined.Tables {
		if t.Set(probation.Set) != nil {
			p.last = append(p.last, element(t, driver.AddElements, d))
		}
	}
	return p, nil
}

// tick is as long as a kernel's clock tick can be (CONFIG_HZ=100). Kernels before 6.12
// take what is less than their own for ever.
const tick = 10 * time.Millisecond

// element is the operation on the element that a table's new rules live by; for 0
// it is for ever.
func element(t *program.Table, kind driver.OpKind, d time.Duration) driver.Op {
	s := probation.NewSet()
	if d != 0 {
		d = max(d, tick)
	}
	s.Elements = []program.Element{{Key: probation.Key, Timeout: uint64(d / time.Millisecond)}}
	return driver.Op{Kind: kind, Table: &program.Table{Family: t.Family, Name: t.Name}, Set: s}
}

// Probation returns the change that is on probation now, whichever process made
// it; fs.ErrNotExist if none is.
func (f *Firewall) Probation(ctx context.Context) (*Probation, error) {
	st, err := f.readTrial(ctx, opTrial)
	if err != nil {
		return nil, err
	}
	if _, pending := st.left(); !pending {
		return nil, &Error{Op: opTrial, Err: notThere("change on probation")}
	}
	return &Probation{f: f, sets: st.handles()}, nil
}

// trial is the state of what is on probation.
type trial struct {
	generation uint32
	tables     []*program.Table // those that have the set
}

// readTrial reads the sets that say what is on probation.
func (f *Firewall) readTrial(ctx context.Context, op string) (*trial, error) {
	isSet := func(_ *program.Table, s *program.Set) bool { return s.Name == probation.Set }
	got, err := f.drv.Read(ctx, driver.Scope{Table: f.owned, Bare: true, Elements: isSet})
	if err != nil {
		return nil, f.driverError(op, err)
	}
	x := &trial{generation: got.Generation}
	for _, t := range got.Program.Tables {
		if t.Set(probation.Set) != nil {
			x.tables = append(x.tables, t)
		}
	}
	return x, nil
}

// left is the shortest time that is left; pending is false where nothing is on
// probation, or it was confirmed and only waits to be put in its place.
func (x *trial) left() (d time.Duration, pending bool) {
	for _, t := range x.tables {
		for _, e := range t.Set(probation.Set).Elements {
			ms := e.Left
			if ms == 0 {
				ms = e.Timeout
			}
			if ms == 0 {
				return 0, false
			}
			if now := time.Duration(ms) * time.Millisecond; !pending || now < d {
				d, pending = now, true
			}
		}
	}
	return d, pending
}

func (x *trial) handles() map[tryKey]uint64 {
	out := map[tryKey]uint64{}
	for _, t := range x.tables {
		out[tryKey{t.Family, t.Name}] = t.Set(probation.Set).Handle
	}
	return out
}

// Left asks the kernel how much time is left; fs.ErrNotExist when it is up.
func (p *Probation) Left(ctx context.Context) (time.Duration, error) {
	if p.sets == nil {
		return 0, nil
	}
	x, err := p.now(ctx, opTrial)
	if err != nil {
		return 0, err
	}
	d, _ := x.left()
	return d, nil
}

// now reads what is on probation, and is fs.ErrNotExist where it is not p any more.
func (p *Probation) now(ctx context.Context, op string) (*trial, error) {
	x, err := p.f.readTrial(ctx, op)
	if err != nil {
		return nil, err
	}
	_, pending := x.left()
	same := len(x.tables) == len(p.sets)
	for key, handle := range x.handles() {
		same = same && p.sets[key] == handle
	}
	if !pending || !same {
		return nil, &Error{Op: op, Err: notThere("change on probation"), Hint: "its time is up, or somebody has confirmed or reverted it"}
	}
	return x, nil
}

// elements changes the elements that the new rules live by, in one transaction that
// is refused when they are gone: once the time is up nothing brings the new rules
// back.
func (p *Probation) elements(ctx context.Context, op string, ops func(t *program.Table) []driver.Op) error {
	for try := 0; try <= p.f.cfg.Retries; try++ {
		x, err := p.now(ctx, op)
		if err != nil {
			return err
		}
		b := driver.Batch{Generation: x.generation}
		for _, t := range x.tables {
			b.Ops = append(b.Ops, ops(t)...)
		}
		err = p.f.drv.Commit(ctx, b)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, driver.ErrConflict):
			if err := pause(ctx, try); err != nil {
				return err
			}
		case expired(b.Ops, err):
			return &Error{Op: op, Err: notThere("change on probation"), Hint: "its time is up"}
		default:
			return p.f.driverError(op, err)
		}
	}
	return &Error{Op: op, Err: ErrConflict, Hint: "other programs commit in this namespace all the time"}
}

// Confirm makes the change stay. fs.ErrNotExist says that it is too late, and the
// old rules are in force. After any other error, ErrUncertain left aside, the time
// goes on, unless the change was confirmed and only could not be tidied up, which
// the owner's next change does.
func (p *Probation) Confirm(ctx context.Context) error {
	if p.sets == nil {
		return nil
	}
	err := p.elements(ctx, opConfirm, func(t *program.Table) []driver.Op {
		return []driver.Op{element(t, driver.DeleteElements, 0), element(t, driver.AddElements, 0)}
	})
	if err != nil {
		return err
	}
	return p.f.settle(ctx, opConfirm)
}

// Extend sets the time left to d from now, within Try's bounds. The errors are
// those of Confirm.
func (p *Probation) Extend(ctx context.Context, d time.Duration) error {
	if err := inTime(opExtend, d); err != nil || p.sets == nil {
		return err
	}
	return p.elements(ctx, opExtend, func(t *program.Table) []driver.Op {
		return []driver.Op{element(t, driver.DeleteElements, 0), element(t, driver.AddElements, d)}
	})
}

// Revert goes back to the rules before, at once. That the time is up already is
// no error.
func (p *Probation) Revert(ctx context.Context) error {
	if p.sets == nil {
		return nil
	}
	err := p.elements(ctx, opRevert, func(t *program.Table) []driver.Op {
		return []driver.Op{element(t, driver.DeleteElements, 0)}
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return p.f.settle(ctx, opRevert)
}

// settle puts what is in force into its place and takes away what the probation
// needed.
func (f *Firewall) settle(ctx context.Context, op string) error {
	return f.change(ctx, op, noElements, func(st *state) (*Plan, error) {
		if st.trial == probation.None || st.trial == probation.Pending {
			return f.nothing(op, st), nil
		}
		changed := map[string]bool{}
		for _, t := range st.raw.Tables {
			if t.Set(probation.Set) != nil {
				id, _ := compile.Owned(t.Family, t.Name, f.opts)
				changed[id.Name()] = true
			}
		}
		want := &program.Program{}
		for _, t := range st.flat().Tables {
			if id, _ := compile.Owned(t.Family, t.Name, f.opts); changed[id.Name()] {
				want.Tables = append(want.Tables, t)
			}
		}
		return f.plan(op, st, st.rules(), wanted{program: want, only: changed})
	})
}

// named are a program's tables that a ruleset would replace.
func (f *Firewall) named(p *program.Program, rs table.Ruleset) *program.Program {
	out := &program.Program{}
	for _, t := range p.Tables {
		if f.concerns(t, rs) {
			out.Tables = append(out.Tables, t)
		}
	}
	return out
}
