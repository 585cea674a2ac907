package backend

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
)

// commitError says what the kernel refused in the caller's words. nil stays nil.
func (f *Firewall) commitError(p *Plan, ops []driver.Op, err error) error {
	var ce *driver.CommitError
	if !errors.As(err, &ce) {
		if err == nil {
			return nil
		}
		return f.driverError(p.op, err)
	}
	var out []error
	for _, fail := range ce.Failures {
		out = append(out, f.refused(p.op, ops, fail))
	}
	return errors.Join(out...)
}

// refused is one failure.
func (f *Firewall) refused(op string, ops []driver.Op, fail driver.Failure) *Error {
	e := &Error{Op: op, Kernel: fail.Words, Err: fail.Err}
	if fail.Op < 0 || fail.Op >= len(ops) {
		return e
	}
	o := ops[fail.Op]
	e.Op, e.Rule = o.Kind.String(), o.Line
	if o.Table != nil {
		e.Table, _ = compile.Owned(o.Table.Family, o.Table.Name, f.opts)
	}
	if o.Chain != nil {
		e.Chain = compile.ModelName(o.Chain.Name)
		if ud := userdata.DecodeChain(o.Chain.UserData); ud.Of != "" {
			e.Chain = compile.ModelName(ud.Of)
		}
	}
	if o.Rule != nil {
		env := program.Env{Family: o.Table.Family, Table: e.Table.Name(), Plain: f.opts.Plain}
		r, _, _ := compile.ReadRule(o.Rule, env)
		e.Text = r.String()
		describe(e, o.Rule, fail)
	}
	return e
}

// describe says which part of a rule the kernel refused, and what that means.
func describe(e *Error, r *program.Rule, fail driver.Failure) {
	culprit := suspect(r, fail)
	name, module := "", ""
	switch x := culprit.(type) {
	case program.XTMatch:
		name, module = x.Name, "xt_"+x.Name
	case program.XTTarget:
		name, module = x.Name, "xt_"+x.Name
	case program.Verdict:
		name = ""
	case nil:
	default:
		name = expression(culprit)
		module = "nft_" + name
	}
	e.Extension = name
	switch {
	case module != "" && (errors.Is(fail.Err, fs.ErrNotExist) || errors.Is(fail.Err, errors.ErrUnsupported)):
		e.Err = fmt.Errorf("%w: %w", ErrUnsupported, fail.Err)
		e.Feature = module
		e.Hint = "load the kernel module " + module + ", or build the kernel with it"
	case name != "":
		e.Hint = "the kernel does not take " + name + " with these options in this table or chain"
	}
}

// suspect is the expression that the kernel points at, or the rule's only xt
// extension, which is where most refusals come from; nil where it is unclear.
func suspect(r *program.Rule, fail driver.Failure) program.Expr {
	if fail.Expr >= 0 && fail.Expr < len(r.Exprs) {
		return r.Exprs[fail.Expr]
	}
	var found program.Expr
	for _, x := range r.Exprs {
		switch x.(type) {
		case program.XTMatch, program.XTTarget:
			if found != nil {
				return nil
			}
			found = x
		}
	}
	return found
}

// expression is the kernel's name of an expression's kind, which names its module.
func expression(e program.Expr) string {
	switch e := e.(type) {
	case program.CT, program.CTSet, program.Notrack:
		return "ct"
	case program.Limit:
		return "limit"
	case program.Log:
		return "log"
	case program.Reject:
		return "reject"
	case program.NAT:
		return "nat"
	case program.Masq:
		return "masq"
	case program.Redir:
		return "redir"
	case program.Fib:
		return "fib"
	case program.Raw:
		return e.Name
	}
	return "tables"
}
