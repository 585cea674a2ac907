package backend

import (
	"context"
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Check reports everything in rs that this kernel or this owner cannot run, and
// what rs itself has wrong, without committing anything: the kernel is given the
// difference as Apply would send it, and does not get to the end.
func (f *Firewall) Check(ctx context.Context, rs table.Ruleset) error {
	st, err := f.read(ctx, "check")
	if err != nil {
		return err
	}
	p, err := f.planRuleset("check", st, rs, nil)
	if err != nil || p.Empty() {
		return err
	}
	ops := p.delta.Trial()
	err = f.drv.Commit(ctx, driver.Batch{Ops: ops, Trial: true})
	if !errors.Is(err, driver.ErrTooLarge) {
		return f.commitError(p, ops, err)
	}
	return f.checkInParts(ctx, p, ops)
}

// checkInParts tries a change that does not fit one transaction: what rules
// refer to in every part, and some of the rules in each.
func (f *Firewall) checkInParts(ctx context.Context, p *Plan, ops []driver.Op) error {
	var frame, rules []driver.Op
	for _, op := range ops {
		switch op.Kind {
		case driver.AddRule:
			op.Before = 0 // the rule that it stands before may be in another part
			rules = append(rules, op)
		case driver.ReplaceRule:
			op.Kind, op.Before = driver.AddRule, 0
			rules = append(rules, op)
		case driver.AddTable, driver.AddChain, driver.AddSet, driver.AddElements:
			frame = append(frame, op)
		}
	}
	var errs []error
	for size := len(rules)/2 + 1; len(rules) > 0; {
		n := min(size, len(rules))
		part := append(frame[:len(frame):len(frame)], rules[:n]...)
		err := f.drv.Commit(ctx, driver.Batch{Ops: part, Trial: true})
		if errors.Is(err, driver.ErrTooLarge) && n > 1 {
			size = n / 2
			continue
		}
		if err := f.commitError(p, part, err); err != nil {
			errs = append(errs, err)
		}
		rules = rules[n:]
	}
	return errors.Join(errs...)
}
