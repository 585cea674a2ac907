package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/probation"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/staging"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Apply makes every table in rs what rs says, in one switch that sends only the
// difference. Tables that rs does not name stay. What did not change keeps its
// handle and counters; a rule that is rewritten carries on with the count that
// was read just before; counters that rs presets are for rules that are new.
func (f *Firewall) Apply(ctx context.Context, rs table.Ruleset) error {
	return f.change(ctx, "apply", exactly(rs), func(st *state) (*Plan, error) {
		return f.planRuleset(ctx, "apply", st, rs, nil)
	})
}

// Edit runs fn on the ruleset as it is and commits what fn did in one
// transaction. After a conflict with another writer fn is run again, on the
// ruleset as it is then: it must not have effects that running it twice would
// repeat.
//
// What adds, deletes, replaces or looks for rules neither reads all of the tables nor
// sends more than what changes. From the second Edit on, and for 10 s after each, the
// Firewall follows the namespace's commits to that end, which makes them a little
// slower for everybody. With Guards everything is read each time: they are shown it.
func (f *Firewall) Edit(ctx context.Context, fn func(e *Edit) error) error {
	tries, done, err := f.quick.edit(ctx, fn)
	if done {
		return err
	}
	return f.changeAfter(ctx, tries, "edit", noElements, func(st *state) (*Plan, error) { return f.planEdit(ctx, st, fn) })
}

// Commit sends the plan if the tables it touches are still as they were when it was made (commits elsewhere in
// the namespace do not matter), else it returns ErrConflict.
func (p *Plan) Commit(ctx context.Context) error {
	start := time.Now()
	err := p.f.send(ctx, p)
	if errors.Is(err, errStale) {
		return &Error{Op: p.op, Err: fmt.Errorf("%w: the plan is stale", ErrConflict), Hint: "plan again"}
	}
	if err == nil {
		p.f.observe(ctx, p, 0, start)
	}
	return err
}

// errStale says that the owner's tables are no longer as the plan had them.
var errStale = errors.New("tables changed since the plan was made")

// change plans and sends, and does both again when another writer came in
// between.
func (f *Firewall) change(ctx context.Context, op string, need needed, plan func(*state) (*Plan, error)) error {
	return f.changeAfter(ctx, 0, op, need, plan)
}

// changeAfter is change behind tries that were in vain.
func (f *Firewall) changeAfter(ctx context.Context, tries int, op string, need needed, plan func(*state) (*Plan, error)) error {
	start := time.Now()
	for try := tries; ; try++ {
		st, err := f.read(ctx, op, need)
		if err != nil {
			return err
		}
		if op != opConfirm && op != opRevert && (st.trial == probation.Ended || st.trial == probation.Confirmed) {
			if try > f.cfg.Retries {
				return &Error{Op: op, Err: ErrInUse, Hint: "somebody's rules look up what a change on probation left; flush them first"}
			}
			if err := f.settle(ctx, opRevert); err != nil { // what a probation left
				return err
			}
			continue
		}
		p, err := plan(st)
		if err == nil {
			err = f.send(ctx, p)
		}
		switch {
		case err == nil:
			f.observe(ctx, p, try, start)
			return nil
		case !errors.Is(err, errStale):
			return err
		case try == f.cfg.Retries:
			return conflict(op, try+1)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// conflict says that retries are used up.
func conflict(op string, tries int) error {
	return &Error{
		Op: op, Err: fmt.Errorf("%w: %d tries", ErrConflict, tries),
		Hint: "another program keeps changing this owner's tables",
	}
}

// pause lets other writers finish. Writers that all come back at once would be
// in each other's way again and the same one could lose every time, so it is as
// long as chance has it, up to twice as long after each try.
func pause(ctx context.Context, try int) error {
	longest := min(shortPause<<min(try, 10), longPause)
	t := time.NewTimer(rand.N(longest))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// How long a writer waits at most after its first conflict, about what a small
// change takes, and after many.
const (
	shortPause = time.Millisecond
	longPause  = 30 * time.Millisecond
)

// observe tells Config.Observe of a commit.
func (f *Firewall) observe(ctx context.Context, p *Plan, conflicts int, start time.Time) {
	if f.cfg.Observe == nil || p.Empty() {
		return
	}
	f.observed(ctx, len(p.changes()), conflicts, start)
}

func (f *Firewall) observed(ctx context.Context, changes, conflicts int, start time.Time) {
	if f.cfg.Observe == nil {
		return
	}
	gen, _ := f.drv.Generation(ctx)
	f.cfg.Observe(Commit{Generation: gen, Changes: changes, Conflicts: conflicts, Took: time.Since(start)})
}

// send takes a plan's steps: stage, switch, sweep. errStale means that nothing
// changed, since another writer was first.
func (f *Firewall) send(ctx context.Context, p *Plan) error {
	if err := f.tidy(ctx, p.st.journals); err != nil {
		return err
	}
	if p.Empty() {
		return nil
	}
	w, err := f.way(p)
	if err != nil {
		return err
	}
	if err := f.able(ctx, p, append(slices.Clone(w.stage), w.turn)...); err != nil {
		return err
	}
	if err := f.guard(ctx, p); err != nil {
		return err
	}
	if err := f.wait(ctx, p, w); err != nil {
		return err
	}
	f.quick.aside(ctx, w)
	if err := f.begin(ctx, p, w); err != nil {
		return err
	}
	defer w.unlock() // a lock that is left goes with its socket
	for _, ops := range w.stage {
		if err := f.drv.Commit(ctx, driver.Batch{Ops: ops}); err != nil {
			f.unstage(ctx, w)
			return f.failed(ctx, p, w, ops, err)
		}
		w.commits++
	}
	at, err := f.turn(ctx, p, w)
	if err != nil {
		if !errors.Is(err, ErrUncertain) { // else it may be in force
			f.unstage(ctx, w)
		}
		return err
	}
	if len(p.delta.Filling()) > 0 {
		at = 0
	}
	if err := f.fill(ctx, p); err != nil {
		return err
	}
	return f.sweep(ctx, p, w, at)
}

// turn commits the switch: only if the owner's tables are as the plan had them,
// which the generation says, or, when somebody committed elsewhere in the
// namespace, a look at them. The generation is taken last, so that a busy
// neighbour cannot starve us. at is the generation after it.
func (f *Firewall) turn(ctx context.Context, p *Plan, w *way) (at uint32, err error) {
	expect := p.st.generation + w.commits
	for try := 0; try <= f.cfg.Retries; try++ {
		err := f.drv.Commit(ctx, driver.Batch{Generation: expect, Ops: w.turn})
		if expired(w.turn, err) {
			return 0, errStale
		}
		if err == nil || !errors.Is(err, driver.ErrConflict) {
			return expect + 1, f.commitError(p, w.turn, err)
		}
		got, err := f.drv.Read(ctx, f.scope(p.looked))
		if err != nil {
			return 0, f.driverError(p.op, err)
		}
		if f.blocked(staging.Read(got.Program, f.cfg.Owner), w) || !f.unchanged(p, f.visible(got.Program, w.journal.Token), w.stage) {
			return 0, errStale
		}
		expect = got.Generation
	}
	return 0, &Error{
		Op: p.op, Err: fmt.Errorf("%w: %d tries", ErrConflict, f.cfg.Retries),
		Hint: "other programs commit in this namespace faster than the switch can be sent",
	}
}

// failed is the error of a stage that was refused: errStale where another
// writer's change was the reason, as when both make a chain of one name. That
// change may be gone again by now, when the other lost its own race; the
// generation, which moved by more than our own commits, still tells of it.
func (f *Firewall) failed(ctx context.Context, p *Plan, w *way, ops []driver.Op, err error) error {
	var refused *driver.CommitError
	if errors.As(err, &refused) {
		got, rerr := f.drv.Read(ctx, f.scope(p.looked))
		if rerr == nil && (!f.unchanged(p, f.visible(got.Program, ""), nil) ||
			got.Generation != p.st.generation+w.commits && passing(ops, refused)) {
			return errStale
		}
	}
	return f.commitError(p, ops, err)
}

// passing says whether a refusal can be another writer's doing: something was
// there, was gone or was in use that was not when we looked.
func passing(ops []driver.Op, refused *driver.CommitError) bool {
	first := refused.Failures[0]
	if first.Op < 0 || first.Op >= len(ops) {
		return false
	}
	switch ops[first.Op].Kind {
	case driver.AddRule, driver.ReplaceRule:
		_, looks := suspect(ops[first.Op].Rule, first).(program.Lookup)
		return looks && errors.Is(first.Err, fs.ErrNotExist)
	}
	return true
}

// unchanged says whether what a plan had read is still so, but for what its own
// stage has put there since.
func (f *Firewall) unchanged(p *Plan, now *program.Program, stage [][]driver.Op) bool {
	type name struct {
		family       program.Family
		table, chain string
	}
	staged, renamed := map[name]bool{}, map[uint64]bool{}
	ops := slices.Concat(stage...)
	for _, op := range ops {
		switch op.Kind {
		case driver.AddTable:
			staged[name{op.Table.Family, op.Table.Name, ""}] = true
		case driver.AddChain:
			staged[name{op.Table.Family, op.Table.Name, op.Chain.Name}] = true
		case driver.RenameChain:
			renamed[op.Chain.Handle] = true // out of the way of one that takes its name
		}
	}
	for n := range staged {
		// Another writer may have swept it: to that one it was in nobody's use.
		if u := now.Table(n.family, n.table); u == nil || n.chain != "" && u.Chain(n.chain) == nil {
			return false
		}
	}
	for _, t := range p.have.Tables {
		if u := now.Table(t.Family, t.Name); u == nil || u.Handle != t.Handle {
			return false
		}
		for _, c := range t.Chains {
			if byHandle(now.Table(t.Family, t.Name), c.Handle) == nil {
				return false
			}
		}
	}
	for _, u := range now.Tables {
		t := p.have.Table(u.Family, u.Name)
		switch {
		case p.st.raw.Table(u.Family, u.Name) != nil && t == nil:
			continue // ours, and none of the plan's business
		case t == nil && !staged[name{u.Family, u.Name, ""}]:
			return false
		case t == nil:
			t = &program.Table{}
		}
		if !sameSets(t, u, ops) || !sameElements(t, u) {
			return false
		}
		for _, d := range u.Chains {
			if staged[name{u.Family, u.Name, d.Name}] {
				continue
			}
			c := byHandle(t, d.Handle)
			if c == nil || d.Policy != c.Policy || !sameRules(c.Rules, d.Rules) || d.Name != c.Name && !renamed[d.Handle] {
				return false
			}
		}
	}
	return true
}

// sameSets says whether a table has the sets that it had, but for those that
// operations made and took away. What another writer has staged may become ours,
// or go again, before we switch.
func sameSets(was, now *program.Table, ops []driver.Op) bool {
	want := map[string]uint64{} // handles by name; 0: made since, with any
	for _, s := range was.Sets {
		want[s.Name] = s.Handle
	}
	for _, op := range ops {
		switch {
		case op.Table.Family != now.Family || op.Table.Name != now.Name:
		case op.Kind == driver.AddSet:
			want[op.Set.Name] = 0
		case op.Kind == driver.DeleteSet:
			delete(want, op.Set.Name)
		}
	}
	for _, s := range now.Sets {
		if handle, ok := want[s.Name]; !ok || handle != 0 && handle != s.Handle {
			return false
		}
	}
	return len(want) == len(now.Sets)
}

// byHandle finds a chain, whatever its name is by now.
func byHandle(t *program.Table, handle uint64) *program.Chain {
	for _, c := range t.Chains {
		if c.Handle == handle {
			return c
		}
	}
	return nil
}

func sameRules(a, b []*program.Rule) bool {
	return slices.EqualFunc(a, b, func(x, y *program.Rule) bool { return x.Handle == y.Handle && x.Same(y) })
}

// guard asks every guard.
func (f *Firewall) guard(ctx context.Context, p *Plan) error {
	if len(f.cfg.Guards) == 0 {
		return nil
	}
	before, err := f.Snapshot(ctx)
	if err != nil {
		return err
	}
	after := before.with(f, p)
	for _, g := range f.cfg.Guards {
		if err := g(ctx, before, after); err != nil {
			return &Error{Op: p.op, Err: fmt.Errorf("%w: %w", ErrRefused, err)}
		}
	}
	return nil
}
