package compile

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// readOtherwise reads a rule that somebody else put into a table which is shared
// with iptables-nft: one that says what a rule of ours would, each of its parts
// in one of the forms that we know. nft leaves the counter out, puts tests in
// another order, has native forms where iptables-nft has the kernel's extensions,
// and comments in userdata; iptables-nft's older releases have the kernel's
// extensions for ports too. Such a rule is kept as it is (see Keeper).
func (x *ruleReader) readOtherwise(p *program.Rule, env program.Env, ud userdata.Rule) (r rule.Rule, ok bool) {
	for _, exprs := range [...][]program.Expr{p.Exprs, ordered(withoutLoads(p.Exprs), env)} {
		r, ok = x.known(exprs, env, ud)
		if ok && r.Err() == nil && !r.Opaque() && x.says(r, p, env) {
			return r, true
		}
	}
	return r, false
}

// says compares a rule, in whatever forms, with the program that it was read
// from, which x.rd still holds.
func (x *ruleReader) says(r rule.Rule, p *program.Rule, env program.Env) bool {
	x.rd.Seek(0)
	c := &x.w.c
	c.Compare(&x.rd, place(r, env))
	x.w.sort(r)
	for _, h := range x.w.headers {
		if h != nil && !oneOf(c, h, nil, h.Compile) {
			return false
		}
	}
	for _, m := range x.w.rest {
		if !oneOf(c, m, match.Extension(m), m.Compile) {
			return false
		}
	}
	if n, counted := p.Counts(); counted {
		c.Add(n)
	}
	t := r.Target()
	native := func(c *program.Code) error { return t.Compile(program.Action{Code: c}) }
	return oneOf(c, t, target.Extension(t), native) && c.AsRead()
}

// oneOf adds a part of a rule in the form that is next in the program.
func oneOf(c *program.Code, v any, e option.Extension, compile func(*program.Code) error) bool {
	own := func() error { return compile(c) }
	if c.Try(own) {
		return true
	}
	if e != nil && c.Try(func() error { _, err := e.KernelForm(v, c); return err }) {
		return true
	}
	c.Env.Plain = false
	defer func() { c.Env.Plain = true }()
	return c.Try(own)
}

// withoutLoads is a program without the loads of an interface's name that nothing
// is done with: what iptables-nft makes of "-i +" and "-o +".
func withoutLoads(exprs []program.Expr) []program.Expr {
	var out []program.Expr
	for i, e := range exprs {
		m, ok := e.(program.Meta)
		if ok && (m.Key == program.MetaIifname || m.Key == program.MetaOifname) && i+1 < len(exprs) && overwrites(exprs[i+1], m.Reg) {
			continue
		}
		out = append(out, e)
	}
	return out
}

// overwrites says whether the next expression does not look at a register, and
// neither can those that follow.
func overwrites(next program.Expr, reg program.Reg) bool {
	switch e := next.(type) {
	case program.Meta:
		return e.Reg == reg
	case program.Payload:
		return e.Reg == reg
	case program.Counter:
		return true
	}
	return false
}
