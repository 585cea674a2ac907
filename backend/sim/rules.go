package sim

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// ruleOp does an operation on a rule. It is refused for the first thing that
// the kernel would look at.
func (t *table) ruleOp(op driver.Op) *refusal {
	if op.Chain == nil || op.Rule == nil {
		return refuse(errWrong)
	}
	c := t.chainNamed[op.Chain.Name]
	if c == nil {
		return refuse(errMissing)
	}
	at := len(c.rules)
	switch {
	case op.Kind != driver.AddRule:
		at = c.find(op.Rule.Handle, op.Kind == driver.ReplaceRule)
	case op.Before != 0:
		at = c.find(op.Before, true)
	}
	if at < 0 {
		return refuse(errMissing)
	}
	if op.Kind == driver.DeleteRule {
		c.write()
		t.kill(c, at)
		return nil
	}
	if r := t.check(op.Rule); r != nil {
		return r
	}
	if op.Kind == driver.ReplaceRule && c.rules[at].dead {
		return refuse(errMissing)
	}
	c.write()
	rule := &program.Rule{Exprs: kept(op.Rule.Exprs), UserData: op.Rule.UserData}
	t.refer(rule, 1)
	if op.Kind == driver.ReplaceRule {
		t.refer(c.rules[at].rule, -1)
		rule.Handle = op.Rule.Handle
		c.rules[at].rule = rule
		return nil
	}
	rule.Handle = t.handle()
	c.rules = slices.Insert(c.rules, at, slot{rule: rule})
	return nil
}

// kept is what the kernel keeps of a rule's expressions: a connection's
// protocols are the same in both directions, so it takes a direction with them
// and forgets it.
func kept(exprs []program.Expr) []program.Expr {
	out := slices.Clone(exprs)
	for i, e := range out {
		if ct, ok := e.(program.CT); ok && (ct.Key == program.CTProto || ct.Key == program.CTL3Proto) {
			ct.Dir = program.NoDir
			out[i] = ct
		}
	}
	return out
}

// kill deletes a rule, all but its place.
func (t *table) kill(c *chain, at int) {
	t.refer(c.rules[at].rule, -1)
	c.rules[at].dead, c.holes = true, true
}

// check says whether a rule can be in the table.
func (t *table) check(r *program.Rule) *refusal {
	if len(r.UserData) > maxUserData {
		return refuse(errWrong)
	}
	for _, check := range []func(program.Expr) error{t.checkKnown, t.checkExpr} {
		for i, e := range r.Exprs {
			if err := check(e); err != nil {
				return &refusal{err, i}
			}
		}
	}
	return nil
}

// checkKnown says whether the expression is one that the host has; the kernel
// asks this of all of a rule's before it makes any.
func (t *table) checkKnown(e program.Expr) error {
	var x driver.XT
	switch e := e.(type) {
	case nil:
		return errWrong
	case program.XTMatch:
		x = driver.XT{Family: t.Family, Name: e.Name, Rev: e.Rev}
	case program.XTTarget:
		x = driver.XT{Family: t.Family, Name: e.Name, Rev: e.Rev, Target: true}
	default:
		return nil
	}
	if !knows(x) {
		return errMissing
	}
	return nil
}

// checkExpr looks at what the expression refers to.
func (t *table) checkExpr(e program.Expr) error {
	switch e := e.(type) {
	case program.Verdict:
		return t.checkVerdict(e)
	case program.Lookup:
		return t.checkLookup(e)
	}
	return nil
}

// checkVerdict looks at where a verdict goes.
func (t *table) checkVerdict(v program.Verdict) error {
	goes := v.Kind == program.NFTJump || v.Kind == program.NFTGoto
	to := t.chainNamed[v.Chain]
	switch {
	case goes != (v.Chain != ""):
		return errWrong
	case !goes:
		return nil
	case to == nil:
		return errMissing
	case to.Base:
		return errUnfit
	}
	return nil
}

// checkLookup looks at the set. A set that a rule brings along is there and full
// as soon as the rule is, which an interval set is not.
func (t *table) checkLookup(l program.Lookup) error {
	if l.Name == "" {
		if l.Const == (program.ConstSet{}) || l.Const.Interval || l.Map {
			return errWrong
		}
		return nil
	}
	s := t.setNamed[l.Name]
	switch {
	case s == nil:
		return errMissing
	case l.Map && s.Flags&program.SetMap == 0:
		return errWrong
	}
	return nil
}

// refer counts what a rule refers to: n is 1 when it comes, -1 when it goes.
func (t *table) refer(r *program.Rule, n int) {
	for _, e := range r.Exprs {
		switch e := e.(type) {
		case program.Verdict:
			t.referTo(e, n)
		case program.Lookup:
			if e.Name == "" {
				continue
			}
			s := t.setNamed[e.Name]
			s.refs += uint32(n)
			s.bound = true
			t.jumps = t.jumps || n > 0 && s.DataType == verdictData
		}
	}
}

// referTo counts a verdict's chain.
func (t *table) referTo(v program.Verdict, n int) {
	if v.Kind != program.NFTJump && v.Kind != program.NFTGoto {
		return
	}
	t.chainNamed[v.Chain].refs += uint32(n)
	t.jumps = t.jumps || n > 0
}
