package backend

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
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
	return joined(p, ops, ce.Failures, f.refused)
}

// joined are all failures. What both halves of a table for both families are
// refused for is said once.
func joined(p *Plan, ops []driver.Op, failures []driver.Failure, refused func(*Plan, []driver.Op, driver.Failure) *Error) error {
	var out []error
	seen := map[string]*Error{}
	for _, fail := range failures {
		e := refused(p, ops, fail)
		family := e.Family
		e.Family = nf.Both
		said := e.Error()
		if other := seen[said]; other != nil && other.Family != family {
			other.Family = nf.Both
			continue
		}
		e.Family = family
		seen[said] = e
		out = append(out, e)
	}
	return errors.Join(out...)
}

// refused is one failure.
func (f *Firewall) refused(p *Plan, ops []driver.Op, fail driver.Failure) *Error {
	e := &Error{Op: p.op, Kernel: fail.Words, Err: fail.Err}
	if fail.Op < 0 || fail.Op >= len(ops) {
		return e
	}
	o := ops[fail.Op]
	e.Op, e.Rule = o.Kind.String(), o.Line
	if o.Table != nil {
		e.Table, e.Family = f.given(p, o.Table)
	}
	if o.Chain != nil {
		e.Chain = compile.ModelName(o.Chain.Name)
		if ud := userdata.DecodeChain(o.Chain.UserData); ud.Of != "" {
			e.Chain = compile.ModelName(ud.Of)
		}
	}
	if o.Rule != nil {
		e.Text = f.text(p, e, o)
		describe(e, o.Rule, fail)
	}
	return e
}

// given is a table as the caller has it: half of one for both families is that
// table, and the family is the half's.
func (f *Firewall) given(p *Plan, t *program.Table) (table.ID, nf.Family) {
	id, _ := compile.Owned(t.Family, t.Name, f.opts)
	for _, rs := range [...]table.Ruleset{p.after, p.st.rules()} {
		if _, ok := rs.Table(id); ok {
			break
		}
		if _, ok := rs.Table(id.For(nf.Both)); ok {
			return id.For(nf.Both), id.Family()
		}
	}
	return id, nf.Both
}

// text is the rule of an operation as the caller gave it, or, where the caller
// did not, as it reads.
func (f *Firewall) text(p *Plan, e *Error, o driver.Op) string {
	if t, ok := p.after.Table(e.Table); ok {
		if c, ok := t.Chain(e.Chain); ok {
			if r, ok := c.Rule(e.Rule); ok {
				return r.String()
			}
		}
	}
	r, _, _ := compile.ReadRule(o.Rule, program.Env{Family: o.Table.Family, Table: e.Table.Name(), Plain: f.opts.Plain})
	return r.String()
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
		if name = expression(culprit); name != "" {
			module = "nft_" + name
		}
	}
	e.Extension = name
	var set *driver.IPSetError
	if errors.As(fail.Err, &set) {
		if errors.Is(set.Err, fs.ErrNotExist) {
			e.Hint = "make it before the rule: ipset create " + set.Name + " …"
		}
		return
	}
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

// expression is the kernel's name of an expression's kind, which names its module;
// "" for what nf_tables always has.
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
	return ""
}
