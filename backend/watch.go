package backend

import (
	"context"
	"iter"
	"slices"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/replay"
	"github.com/gatehouse-fw/gatehouse/internal/staging"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Event is a commit that was seen, or a new start.
type Event struct {
	Resync     *Snapshot // not nil: start from here; Changes is empty
	Generation uint32
	Own        bool     // this Firewall committed it
	PID        int      // the process that committed, as the first pid namespace numbers it; 0: unknown
	Command    string   // its name
	Changes    []Change // none where nothing changed that a ruleset shows
}

// Watch yields what is committed in the namespace, by anyone, until ctx ends or
// the loop is left. The first event, and one after messages were lost, is a new
// start: its Resync is everything as it is then. Where tables of the owner
// changed the changes are in the model's terms, a line of difference each; of
// others' tables they are rules and chains as the kernel tells of them.
//
// The kernel does not tell what counts, nor of elements whose time is up. A
// watcher makes commits of many rules slower for everybody; one that does not
// keep up loses messages, and starts anew. Errors end the loop; that ctx ended is
// one.
func (f *Firewall) Watch(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w, err := f.drv.Watch(ctx)
		if err != nil {
			yield(Event{}, f.driverError(opWatch, err))
			return
		}
		defer w.Close()
		x := &watcher{f: f, w: w}
		e, err := x.resync(ctx)
		for err == nil && yield(e, nil) {
			e, err = x.next(ctx)
		}
		if err != nil {
			yield(Event{}, err)
		}
	}
}

// opWatch is Watch's name in errors.
const opWatch = "watch"

// watcher is a Watch under way.
type watcher struct {
	f   *Firewall
	w   driver.Watch
	now *program.Program // the namespace as it is
	gen uint32           // its generation
}

// resync reads the namespace.
func (x *watcher) resync(ctx context.Context) (Event, error) {
	got, err := x.f.drv.Read(ctx, driver.Scope{})
	if err != nil {
		return Event{}, x.f.driverError(opWatch, err)
	}
	s, err := x.f.snapshotOf(opWatch, got)
	if err == nil {
		err = x.f.seeLegacy(ctx, s, got)
	}
	if err != nil {
		return Event{}, err
	}
	x.now, x.gen = got.Program, got.Generation
	return Event{Resync: s, Generation: got.Generation}, nil
}

// next waits for a commit that is not in what was read.
func (x *watcher) next(ctx context.Context) (Event, error) {
	for {
		seen, err := x.w.Next(ctx)
		if err != nil {
			return Event{}, x.f.driverError(opWatch, err)
		}
		if !seen.Lost && int32(seen.Generation-x.gen) <= 0 {
			continue
		}
		after, touched, ok := replay.Apply(x.now, seen)
		if !ok || seen.Generation != x.gen+1 {
			return x.resync(ctx)
		}
		e := Event{Generation: seen.Generation, Own: seen.Own, PID: seen.PID, Command: seen.Command}
		e.Changes, err = x.f.seen(x.now, after, touched)
		x.now, x.gen = after, seen.Generation
		return e, err
	}
}

// seen are the changes between two programs, in the tables that a commit touched.
func (f *Firewall) seen(before, after *program.Program, touched []replay.Key) (out []Change, err error) {
	ours := map[string]bool{} // names of tables that changed
	for _, key := range touched {
		if id, ok := compile.Owned(key.Family, key.Name, f.opts); ok {
			ours[id.Name()] = true
			continue
		}
		if staging.Is(f.cfg.Owner, key.Name) { // what was staged is in force: as of now all of it changed
			for _, t := range after.Tables {
				if id, ok := compile.Owned(t.Family, t.Name, f.opts); ok {
					ours[id.Name()] = true
				}
			}
			continue
		}
		was, is := before.Table(key.Family, key.Name), after.Table(key.Family, key.Name)
		out = append(out, f.otherChanges(was, is, after)...)
	}
	if len(ours) == 0 {
		return out, nil
	}
	was, err := f.model(before, ours)
	if err != nil {
		return nil, err
	}
	is, err := f.model(after, ours)
	if err != nil {
		return nil, err
	}
	return append(allChanges(was, is), out...), nil
}

// model is the owner's tables of these names.
func (f *Firewall) model(p *program.Program, names map[string]bool) (table.Ruleset, error) {
	some := &program.Program{}
	for _, t := range p.Tables {
		if id, ok := compile.Owned(t.Family, t.Name, f.opts); ok && names[id.Name()] || staging.Is(f.cfg.Owner, t.Name) {
			some.Tables = append(some.Tables, t)
		}
	}
	st, err := f.state(opWatch, &driver.State{Program: some})
	if err != nil {
		return table.Ruleset{}, err
	}
	return st.rules(), nil
}

// otherChanges are the changes of somebody else's table, rules told apart by
// their handles.
func (f *Firewall) otherChanges(was, is *program.Table, after *program.Program) (out []Change) {
	switch {
	case was == nil && is == nil:
		return nil
	case is == nil:
		o := f.other(was, &program.Program{})
		return []Change{{Op: Delete, Other: &o}}
	}
	ours := &program.Program{Tables: slices.DeleteFunc(slices.Clone(after.Tables), func(t *program.Table) bool {
		return !f.owned(t.Family, t.Name)
	})}
	o := f.other(is, ours)
	if was == nil {
		was = &program.Table{}
		out = append(out, Change{Op: Add, Other: &o})
	}
	for _, c := range was.Chains {
		if byHandle(is, c.Handle) == nil {
			out = append(out, Change{Op: Delete, Other: &o, Chain: c.Name})
		}
	}
	for _, c := range is.Chains {
		old := byHandle(was, c.Handle)
		if old == nil {
			old = &program.Chain{}
			out = append(out, Change{Op: Add, Other: &o, Chain: c.Name, Policy: modelPolicy(c)})
		} else if c.Base && old.Policy != c.Policy {
			out = append(out, Change{Op: SetPolicy, Other: &o, Chain: c.Name, Policy: modelPolicy(c)})
		}
		out = append(out, otherRules(&o, is, old, c)...)
	}
	return out
}

// modelPolicy is a base chain's policy; 0 for a user chain.
func modelPolicy(c *program.Chain) chain.Policy {
	switch {
	case !c.Base:
		return 0
	case c.Policy == program.NFDrop:
		return chain.Drop
	}
	return chain.Accept
}

// otherRules are the rules that went and came in somebody else's chain.
func otherRules(o *Other, t *program.Table, was, is *program.Chain) (out []Change) {
	held := func(c *program.Chain) map[uint64]*program.Rule {
		m := make(map[uint64]*program.Rule, len(c.Rules))
		for _, r := range c.Rules {
			m[r.Handle] = r
		}
		return m
	}
	had, has := held(was), held(is)
	env := program.Env{Family: t.Family, Table: t.Name, Plain: true}
	for i, r := range was.Rules {
		if s := has[r.Handle]; s == nil || s != r && !s.Same(r) {
			x, _, _ := compile.ReadRule(r, env)
			out = append(out, Change{Op: Delete, Other: o, Chain: is.Name, Line: i + 1, Rule: x})
		}
	}
	for i, r := range is.Rules {
		if s := had[r.Handle]; s == nil || s != r && !s.Same(r) {
			x, _, _ := compile.ReadRule(r, env)
			out = append(out, Change{Op: Add, Other: o, Chain: is.Name, Line: i + 1, Rule: x})
		}
	}
	return out
}
