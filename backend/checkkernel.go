package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/feature"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// able refuses a plan that needs an xt extension which the kernel does not have,
// before any of it is sent.
func (f *Firewall) able(ctx context.Context, p *Plan, batches ...[]driver.Op) error {
	for _, ops := range batches {
		lacks, err := f.lacking(ctx, ops)
		if err != nil {
			return f.driverError(p.op, err)
		}
		if len(lacks) > 0 {
			return f.commitError(p, ops, &driver.CommitError{Failures: lacks})
		}
	}
	return nil
}

// lacking are the xt extensions of rules to be sent that the kernel does not
// have. It is asked once for each.
func (f *Firewall) lacking(ctx context.Context, ops []driver.Op) ([]driver.Failure, error) {
	var lacks []driver.Failure
	seen := map[driver.XT]error{}
	for i, op := range ops {
		if op.Kind != driver.AddRule && op.Kind != driver.ReplaceRule {
			continue
		}
		for j, e := range op.Rule.Exprs {
			x, ok := xtOf(op.Table.Family, e)
			if !ok {
				continue
			}
			err, known := seen[x]
			if !known {
				err = f.drv.Probe(ctx, x)
				if err != nil && !errors.Is(err, driver.ErrUnsupported) {
					return nil, err
				}
				seen[x] = err
			}
			if err != nil {
				lacks = append(lacks, driver.Failure{Op: i, Expr: j, Err: &lack{x.Rev, err}})
			}
		}
	}
	return lacks, nil
}

// lack is what the kernel said of an extension, in words that fit every family.
type lack struct {
	revision uint32
	err      error // of the driver
}

// Error is "revision 1: no such file or directory".
func (l *lack) Error() string {
	var errno syscall.Errno
	if errors.As(l.err, &errno) {
		return fmt.Sprintf("revision %d: %v", l.revision, errno)
	}
	return fmt.Sprintf("revision %d", l.revision)
}

// Unwrap makes it the driver's error.
func (l *lack) Unwrap() error { return l.err }

// xtOf is the kernel's extension that an expression is. Those that inet tables can
// have ip tables can have too, of which the kernel can be asked at less cost.
func xtOf(f program.Family, e program.Expr) (driver.XT, bool) {
	if f == program.Inet {
		f = program.IP
	}
	switch e := e.(type) {
	case program.XTMatch:
		return driver.XT{Family: f, Name: e.Name, Rev: e.Rev}, true
	case program.XTTarget:
		return driver.XT{Family: f, Name: e.Name, Rev: e.Rev, Target: true}, true
	}
	return driver.XT{}, false
}

// merged are failures in the order of the operations: what the kernel said of a
// rule is left out where it is what it was asked for before.
func merged(asked, said []driver.Failure) []driver.Failure {
	out := slices.Clone(asked)
	for _, s := range said {
		if !slices.ContainsFunc(asked, func(a driver.Failure) bool {
			return a.Op == s.Op && (a.Expr == s.Expr || s.Expr < 0)
		}) {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b driver.Failure) int {
		if a.Op != b.Op {
			return a.Op - b.Op
		}
		return a.Expr - b.Expr
	})
	return out
}

// deepest bounds how many expressions of one rule are found missing.
const deepest = 8

// deeper adds to the failures of a trial what the rest of each rule would have
// been refused for. The kernel stops at a rule's first expression that it does not
// have; so it is shown what comes after, with every register filled.
func (f *Firewall) deeper(ctx context.Context, ops []driver.Op, failures []driver.Failure) []driver.Failure {
	out := slices.Clone(failures)
	for range deepest {
		frame, _ := apart(ops)
		var rest []driver.Failure // of which rule, and up to where it was looked at
		for _, fail := range failures {
			if fail.Op < 0 || fail.Op >= len(ops) || ops[fail.Op].Rule == nil || !lacksNative(ops[fail.Op], fail) {
				continue
			}
			r := *ops[fail.Op].Rule
			if r.Exprs = slices.Concat(filled, r.Exprs[fail.Expr+1:]); len(r.Exprs) == len(filled) {
				continue
			}
			rest = append(rest, fail)
			op := ops[fail.Op]
			op.Kind, op.Before, op.Rule = driver.AddRule, 0, &r
			frame = append(frame, op)
		}
		if len(rest) == 0 {
			return out
		}
		first := len(frame) - len(rest)
		var refused *driver.CommitError
		if !errors.As(f.drv.Commit(ctx, driver.Batch{Ops: frame, Trial: true}), &refused) {
			return out
		}
		failures = nil
		for _, fail := range refused.Failures {
			if fail.Op < first || fail.Expr < len(filled) {
				continue
			}
			was := rest[fail.Op-first]
			fail.Op, fail.Expr = was.Op, fail.Expr-len(filled)+was.Expr+1
			if lacksNative(ops[fail.Op], fail) {
				failures = append(failures, fail)
			}
		}
		out = append(out, failures...)
	}
	return out
}

// filled gives every register a value, as the kernel wants it before one is read.
var filled = func() []program.Expr {
	var out []program.Expr
	for reg := program.Reg(1); reg <= 4; reg++ {
		out = append(out, program.Immediate{Reg: reg, Value: program.Bytes(make([]byte, 16)...)})
	}
	return out
}()

// lacksNative says whether a failure is about an expression of nf_tables' own that
// the kernel does not have.
func lacksNative(op driver.Op, fail driver.Failure) bool {
	if fail.Expr < 0 || fail.Expr >= len(op.Rule.Exprs) || !absent(fail.Err) {
		return false
	}
	e := op.Rule.Exprs[fail.Expr]
	_, xt := xtOf(op.Table.Family, e)
	return !xt && expression(e) != ""
}

// absent says whether an errno can mean that something is not there.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported)
}

// featureOf is what is known of an expression that may be missing; its Name is ""
// for those that nf_tables always has.
func featureOf(f program.Family, e program.Expr) feature.Feature {
	switch e := e.(type) {
	case nil:
		return feature.Feature{}
	case program.XTMatch:
		return feature.Find(feature.Match, e.Name)
	case program.XTTarget:
		return feature.Find(feature.Target, e.Name)
	}
	name := expression(e)
	if name == "" {
		return feature.Feature{}
	}
	if f == program.Inet {
		if k := feature.Find(feature.Expression, name+" in inet"); k.Config != "" {
			return k
		}
	}
	return feature.Find(feature.Expression, name)
}

// removed says whether an extension is one that no kernel of today has: its program
// would do nothing anywhere, or it has none any more.
func removed(extension string) (feature.Feature, bool) {
	for _, kind := range [...]feature.Kind{feature.Match, feature.Target} {
		if k := feature.Find(kind, extension); k.Gone != "" {
			return k, true
		}
	}
	return feature.Feature{}, false
}

// describe says which part of a rule the kernel refused, and what that means.
func describe(e *Error, o driver.Op, fail driver.Failure) {
	culprit := suspect(o.Rule, fail)
	k := featureOf(o.Table.Family, culprit)
	if k.Name == "" {
		return
	}
	e.Extension, _, _ = strings.Cut(k.Name, " ")
	v6 := o.Table.Family == program.IP6
	_, xt := xtOf(o.Table.Family, culprit)
	asked := errors.Is(fail.Err, driver.ErrUnsupported)
	var set *driver.IPSetError
	switch {
	case errors.As(fail.Err, &set):
		if errors.Is(set.Err, fs.ErrNotExist) {
			e.Set = set.Name
			e.Hint = "make it before the rule: ipset create " + set.Name + " …"
		}
	case xt && !asked && errors.Is(fail.Err, fs.ErrNotExist) && k.Needs != "":
		// The extension itself is there: that was asked before.
		e.Hint = k.Name + " needs " + k.Needs
	case asked || absent(fail.Err):
		e.Err = fmt.Errorf("%w: %w", ErrUnsupported, fail.Err)
		e.Feature, e.Hint = k.Missing(v6), k.Hint(v6, "")
		var l *lack
		if errors.As(fail.Err, &l) && errors.Is(l, syscall.EPROTONOSUPPORT) {
			e.Feature = fmt.Sprintf("%s revision %d", e.Feature, l.revision)
			e.Hint = "the kernel has " + k.Name + " in other revisions, which nft.Survey lists"
		}
	default:
		e.Hint = "the kernel does not take " + e.Extension + " with these options in this table or chain"
	}
}
