package backend

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Check reports everything in rs that this kernel, this owner or a family cannot
// run, and what rs itself has wrong, without committing anything: an *Error for
// each part, joined (Errors yields them). A rule that is refused for one reason
// does not keep the others from being looked at.
//
// The kernel is asked for each of its own extensions that the rules need, once
// (what it has is remembered, what it lacks is asked for again after ten
// seconds), and then it is given the difference as Apply would send it, in a
// transaction that does not get to its end. What a kernel can load as a module it
// loads then, as it would for Apply; nothing else is left behind.
//
// A chain that is not in the kernel yet is looked at by Gatehouse alone as to
// where its rules may be: the kernel does that when it commits.
func (f *Firewall) Check(ctx context.Context, rs table.Ruleset) error {
	st, err := f.read(ctx, opCheck, exactly(rs))
	if err != nil {
		return err
	}
	return inOrder(rs, f.check(ctx, st, rs))
}

// opCheck is Check's name in errors.
const opCheck = "check"

// check is Check on a state.
func (f *Firewall) check(ctx context.Context, st *state, rs table.Ruleset) error {
	const op = opCheck
	var errs []error
	if err := invalid(op, rs.Err()); err != nil {
		errs = append(errs, err)
		rs = sound(rs, Errors(err))
		if rs.Err() != nil { // a chain or a table is wrong: there is nothing to send
			return err
		}
	}
	p, err := f.planRuleset(ctx, op, st, rs, nil)
	if err != nil && (errors.Is(err, ErrInexact) || errors.Is(err, ErrUnsupported)) {
		errs = append(errs, err)
		p, err = f.planRuleset(ctx, op, st, without(rs, Errors(err)), nil)
	}
	switch {
	case err == nil:
	case errs != nil && errors.Is(err, ErrInvalid): // of tables, and the rules come first
		return errors.Join(errs...)
	default:
		return errors.Join(append(errs, err)...)
	}
	if !p.Empty() {
		errs = append(errs, f.try(ctx, p, p.delta.Trial()))
	}
	return errors.Join(errs...)
}

// inOrder joins errors in the order of the ruleset.
func inOrder(rs table.Ruleset, err error) error {
	errs := Errors(err)
	if len(errs) < 2 {
		return err
	}
	type place struct {
		table table.ID
		chain string
	}
	places := map[place]int{}
	for t := range rs.Tables() {
		places[place{t.ID(), ""}] = len(places)
		for c := range t.Chains() {
			places[place{t.ID(), c.Name()}] = len(places)
		}
	}
	slices.SortStableFunc(errs, func(a, b *Error) int {
		return cmp.Or(
			places[place{a.Table, a.Chain}]-places[place{b.Table, b.Chain}],
			a.Rule-b.Rule,
		)
	})
	out := make([]error, len(errs))
	for i, e := range errs {
		out[i] = e
	}
	return errors.Join(out...)
}

// sound is a ruleset without the rules that errors are about and, where that does
// not do, without jumps, so that what is left can be looked at.
func sound(rs table.Ruleset, errs []*Error) table.Ruleset {
	rs = without(rs, errs)
	if rs.Err() == nil {
		return rs
	}
	return blank(rs, func(_ table.ID, _ string, _ int, r rule.Rule) bool {
		switch r.Target().(type) {
		case target.Jump, target.Goto:
			return true
		}
		return false
	})
}

// without is a ruleset in which the rules that errors are about do nothing.
func without(rs table.Ruleset, errs []*Error) table.Ruleset {
	type place struct {
		table table.ID
		chain string
		rule  int
	}
	bad := map[place]bool{}
	for _, e := range errs {
		bad[place{e.Table, e.Chain, e.Rule}] = true
	}
	return blank(rs, func(id table.ID, chain string, n int, _ rule.Rule) bool { return bad[place{id, chain, n}] })
}

// blank puts a rule that does nothing in the place of others, so that those after
// them keep their numbers.
func blank(rs table.Ruleset, bad func(table.ID, string, int, rule.Rule) bool) table.Ruleset {
	out := rs
	for t := range rs.Tables() {
		next := t
		for c := range t.Chains() {
			var rules []rule.Rule
			changed := false
			for n, r := range c.Rules() {
				if bad(t.ID(), c.Name(), n, r) {
					r, changed = idle(t.ID()), true
				}
				rules = append(rules, r)
			}
			if changed {
				next = next.WithChain(c.With(rules...))
			}
		}
		out = out.With(next)
	}
	return out
}

// idle is a rule of a table that takes no packet.
func idle(id table.ID) rule.Rule {
	return rule.New(target.None, match.Only(id.Family()))
}

// try says what the kernel would refuse of operations, and commits nothing.
func (f *Firewall) try(ctx context.Context, p *Plan, ops []driver.Op) error {
	lacks, err := f.lacking(ctx, ops)
	if err != nil {
		return f.driverError(p.op, err)
	}
	err = f.drv.Commit(ctx, driver.Batch{Ops: ops, Trial: true})
	var refused *driver.CommitError
	switch {
	case err == nil:
	case errors.As(err, &refused):
		lacks = merged(lacks, f.deeper(ctx, ops, refused.Failures))
	case errors.Is(err, driver.ErrTooLarge):
		return f.tryInParts(ctx, p, ops, err)
	default:
		return f.driverError(p.op, err)
	}
	if len(lacks) == 0 {
		return nil
	}
	return f.commitError(p, ops, &driver.CommitError{Failures: lacks})
}

// tryInParts tries a change that does not fit one transaction: in every part what
// the others refer to, and some of them. tooLarge is what the host said of it.
func (f *Firewall) tryInParts(ctx context.Context, p *Plan, ops []driver.Op, tooLarge error) error {
	frame, parts := apart(ops)
	if len(parts) < 2 {
		if len(parts) == 1 && parts[0].Kind == driver.AddElements {
			return nil // Apply sends them a few at a time
		}
		return f.driverError(p.op, tooLarge)
	}
	half := len(parts) / 2
	return errors.Join(
		f.try(ctx, p, append(frame[:len(frame):len(frame)], parts[:half]...)),
		f.try(ctx, p, append(frame[:len(frame):len(frame)], parts[half:]...)),
	)
}

// apart are the operations that others refer to, and those that can be tried
// alone: elements, and rules as if each were new and came last.
func apart(ops []driver.Op) (frame, parts []driver.Op) {
	for _, op := range ops {
		switch op.Kind {
		case driver.AddRule, driver.ReplaceRule:
			op.Kind, op.Before = driver.AddRule, 0 // the rule that it stands before may be in another part
			parts = append(parts, op)
		case driver.AddElements:
			parts = append(parts, op)
		case driver.AddTable, driver.AddChain, driver.AddSet:
			frame = append(frame, op)
		}
	}
	return frame, parts
}
