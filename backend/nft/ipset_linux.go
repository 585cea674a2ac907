package nft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/gatehouse-fw/gatehouse/internal/xt"
	"golang.org/x/sys/unix"
)

// The kernel's extensions set and SET know an ipset by its number, which a
// program cannot have: it is another in every namespace. So a program has names
// (program.IPSetNames), and the numbers are put in on the way to the kernel and
// taken out on the way back, over the socket that is there anyway: ipset is a
// subsystem of nfnetlink too. As in iptables, what a name stands for is asked
// before the rule is made; while a rule refers to a set the kernel neither
// renames nor destroys it, and a swap changes contents, not names.

// xtParts are a match or a target as one; ok is false for any other expression.
func xtParts(e program.Expr) (x program.XTMatch, target, ok bool) {
	switch e := e.(type) {
	case program.XTMatch:
		return e, false, true
	case program.XTTarget:
		return program.XTMatch(e), true, true
	}
	return x, false, false
}

// xtExpr is xtParts' inverse.
func xtExpr(x program.XTMatch, target bool) program.Expr {
	if target {
		return program.XTTarget(x)
	}
	return x
}

// ipsetNumbers remembers what was asked during one commit.
type ipsetNumbers map[string]wire.IPSet

// withIPSets is b with numbers for the names of ipsets. What b refers to stays as
// it is. An ipset that is not there, or is of no use in the table's family, is a
// *driver.CommitError with a *driver.IPSetError for each.
func (k *kernel) withIPSets(ctx context.Context, b driver.Batch) (driver.Batch, error) {
	var failures []driver.Failure
	known := ipsetNumbers{}
	copied := false
	for i := range b.Ops {
		op := b.Ops[i]
		if op.Rule == nil || op.Kind != driver.AddRule && op.Kind != driver.ReplaceRule {
			continue
		}
		r, at, err := k.numbered(ctx, op.Rule, op.Table.Family, known)
		var set *driver.IPSetError
		switch {
		case errors.As(err, &set):
			failures = append(failures, driver.Failure{Op: i, Err: set, Expr: at})
		case err != nil:
			return b, err
		case r != op.Rule:
			if !copied {
				b.Ops, copied = slices.Clone(b.Ops), true
			}
			b.Ops[i].Rule = r
		}
	}
	if failures != nil {
		return b, &driver.CommitError{Failures: failures}
	}
	return b, nil
}

// numbered is a rule with numbers for its ipsets: r itself where it has none. at
// is the expression that an error is about.
func (k *kernel) numbered(ctx context.Context, r *program.Rule, f program.Family, known ipsetNumbers) (out *program.Rule, at int, err error) {
	out = r
	for i, e := range r.Exprs {
		x, target, ok := xtParts(e)
		if !ok || x.IPSets == "" {
			continue
		}
		names, ok := program.SplitIPSets(x.IPSets, xt.IPSetFields(x.Name, x.Rev, target))
		if !ok {
			return r, i, fmt.Errorf("%v: no such fields", e)
		}
		for field, name := range names {
			if name == "" {
				continue
			}
			set, err := k.ipset(ctx, name, known)
			if err == nil && set.Family != 0 && program.Family(set.Family) != f {
				err = &driver.IPSetError{Name: name, Err: driver.ErrIPSetFamily}
			}
			if err != nil {
				return r, i, err
			}
			x.Info = xt.WithIPSetIndex(x.Info, field, set.Index)
		}
		x.IPSets = ""
		if out == r {
			again := *r
			again.Exprs = slices.Clone(r.Exprs)
			out = &again
		}
		out.Exprs[i] = xtExpr(x, target)
	}
	return out, -1, nil
}

// ipset asks for one set, on the control socket, which the caller has taken.
func (k *kernel) ipset(ctx context.Context, name string, known ipsetNumbers) (set wire.IPSet, err error) {
	if set, ok := known[name]; ok {
		return set, nil
	}
	err = k.control.ask(ctx, func(seq uint32) []byte { return wire.AskIPSet(seq, name) }, func(m wire.Message) (err error) {
		set, err = wire.DecodeIPSet(m)
		return err
	})
	switch {
	case errors.Is(err, unix.ENOENT):
		return set, &driver.IPSetError{Name: name, Err: fs.ErrNotExist}
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP): // no such subsystem
		return set, &driver.IPSetError{Name: name, Err: fmt.Errorf("ipset: %w: %w", driver.ErrUnsupported, err)}
	case err == nil:
		known[name] = set
	}
	return set, err
}

// ipsetNames remembers what was asked during one read.
type ipsetNames map[uint16]string

// nameIPSets puts names for the numbers of ipsets into rules that were read. A
// number that has no name, which the kernel does not let happen, stays.
func (r *reading) nameIPSets(ctx context.Context, rules []*program.Rule) error {
	for _, rule := range rules {
		for i, e := range rule.Exprs {
			x, target, ok := xtParts(e)
			if !ok {
				continue
			}
			n := xt.IPSetFields(x.Name, x.Rev, target)
			if n == 0 {
				continue
			}
			named, err := r.named(ctx, x, n)
			if err != nil {
				return err
			}
			rule.Exprs[i] = xtExpr(named, target)
		}
	}
	return nil
}

// named is a match or target with names for its n ipsets.
func (r *reading) named(ctx context.Context, x program.XTMatch, n int) (program.XTMatch, error) {
	names, out := make([]string, n), x
	for field := range n {
		index := xt.IPSetIndex(x.Info, field)
		if index == xt.NoIPSet {
			continue
		}
		name, err := r.ipsetName(ctx, index)
		if err != nil || name == "" {
			return x, err
		}
		names[field] = name
		out.Info = xt.WithIPSetIndex(out.Info, field, xt.NoIPSet)
	}
	out.IPSets = program.IPSetNames(names...)
	return out, nil
}

// ipsetName asks for the name of one set; "" where there is none.
func (r *reading) ipsetName(ctx context.Context, index uint16) (string, error) {
	if name, ok := r.ipsets[index]; ok {
		return name, nil
	}
	var set wire.IPSet
	err := r.dumps.ask(ctx, func(seq uint32) []byte { return wire.AskIPSetName(seq, index) }, func(m wire.Message) (err error) {
		set, err = wire.DecodeIPSet(m)
		return err
	})
	var errno unix.Errno
	if errors.As(err, &errno) {
		err = nil // it has none
	}
	if err == nil {
		if r.ipsets == nil {
			r.ipsets = ipsetNames{}
		}
		r.ipsets[index] = set.Name
	}
	return set.Name, err
}
