package backend

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
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
		} else if ud.Try != "" {
			e.Chain = compile.ModelName(ud.Try)
		}
	}
	if o.Rule != nil {
		r := f.ruleOf(p, e, o)
		e.Text = r.String()
		describe(e, o, fail)
		if name := f.spelt(r, o, suspect(o.Rule, fail)); name != "" {
			e.Extension = name
		}
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

// ruleOf is the rule of an operation as the caller gave it, or, where the caller
// did not, as it reads.
func (f *Firewall) ruleOf(p *Plan, e *Error, o driver.Op) rule.Rule {
	if t, ok := p.after.Table(e.Table); ok {
		if c, ok := t.Chain(e.Chain); ok {
			if r, ok := c.Rule(e.Rule); ok {
				return r
			}
		}
	}
	r, _, _ := compile.ReadRule(o.Rule, f.env(o, e.Table))
	return r
}

func (f *Firewall) env(o driver.Op, id table.ID) program.Env {
	return program.Env{Family: o.Table.Family, Table: id.Name(), Plain: f.opts.Plain}
}

// spelt is the match or target of a rule that an expression of nf_tables' own came
// from: the one whose program has it when it stands alone. "" where there is none,
// or where the caller gave the expression itself.
func (f *Firewall) spelt(r rule.Rule, o driver.Op, culprit program.Expr) string {
	if _, xt := xtOf(o.Table.Family, culprit); culprit == nil || xt || expression(culprit) == "" || r.Opaque() {
		return ""
	}
	id, _ := compile.Owned(o.Table.Family, o.Table.Name, f.opts)
	has := func(t target.Target, ms ...match.Match) bool {
		alone := rule.New(t, ms...)
		if alone.Err() != nil {
			return false
		}
		p, err := compile.Rule(alone, f.env(o, id), false, 0)
		return err == nil && slices.Contains(p.Exprs, culprit)
	}
	var headers []match.Match
	for m := range r.Matches() {
		if _, ok := m.(match.Header); ok {
			headers = append(headers, m)
		}
	}
	for m := range r.Matches() {
		if _, ok := m.(match.Header); !ok && has(target.None, append(headers[:len(headers):len(headers)], m)...) {
			return m.Name()
		}
	}
	if r.Target() != nil && has(r.Target(), headers...) {
		return r.Target().Name()
	}
	return ""
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

// expression is the kernel's name of an expression's kind, or of a part of it that
// a kernel may lack; "" for what nf_tables always has.
func expression(e program.Expr) string {
	switch e := e.(type) {
	case program.Payload, program.PayloadSet, program.Meta, program.MetaSet, program.Cmp, program.Bitwise,
		program.Byteorder, program.Lookup, program.Immediate, program.Verdict, program.Counter:
		return ""
	case program.CTSet:
		return "ct"
	case program.Shift:
		return "bitwise shift"
	case program.Bitwise2:
		return "bitwise registers"
	case program.Exthdr:
		return exthdr(e.Op)
	case program.Raw:
		return e.Name
	}
	// Types are named as the kernel's expressions are.
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", e), "program."))
}

// exthdr is the part of exthdr that an operation needs.
func exthdr(op uint32) string {
	parts := [...]string{2: "exthdr ip options", 3: "exthdr sctp", 4: "exthdr dccp"} // NFT_EXTHDR_OP_*
	if int(op) < len(parts) && parts[op] != "" {
		return parts[op]
	}
	return "exthdr"
}
