package backend

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/constset"
	"github.com/gatehouse-fw/gatehouse/internal/delta"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/page"
	"github.com/gatehouse-fw/gatehouse/internal/probation"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Plan is a difference that was computed and not yet sent. Immutable.
type Plan struct {
	f       *Firewall
	op      string
	st      *state
	have    *program.Program // the owner's tables that the plan is about, as the kernel has them
	want    *program.Program // as they would be, in the kernel's form
	after   table.Ruleset
	delta   delta.Plan
	last    []driver.Op     // what ends the switch
	changes func() []Change // for people to read, found when one asks
}

// wanted is what a plan is to bring about.
type wanted struct {
	program *program.Program
	all     bool            // every table of the owner is meant, named or not
	only    map[string]bool // not nil: the tables of these names are meant
}

// Plan computes the difference that Apply would send.
func (f *Firewall) Plan(ctx context.Context, rs table.Ruleset) (*Plan, error) {
	st, err := f.read(ctx, "plan", exactly(rs))
	if err != nil {
		return nil, err
	}
	return f.planRuleset(ctx, "plan", st, rs, nil)
}

// PlanEdit is Plan for what fn does.
func (f *Firewall) PlanEdit(ctx context.Context, fn func(e *Edit) error) (*Plan, error) {
	st, err := f.read(ctx, "edit", noElements)
	if err != nil {
		return nil, err
	}
	p, err := f.planEdit(ctx, st, fn)
	if errors.Is(err, errStale) {
		return nil, &Error{Op: "edit", Err: ErrConflict, Hint: "plan again"}
	}
	return p, err
}

// planEdit runs an edit on the state and plans what it did.
func (f *Firewall) planEdit(ctx context.Context, st *state, fn func(e *Edit) error) (*Plan, error) {
	e := newEdit(st.rules())
	e.load = func(id table.ID, name string) (table.Table, error) { return f.load(ctx, "edit", st, id, name) }
	if err := fn(e); err != nil {
		return nil, err
	}
	return f.planned(ctx, st, e)
}

// planned plans what an edit of the state did.
func (f *Firewall) planned(ctx context.Context, st *state, e *Edit) (*Plan, error) {
	rs, err := e.ruleset()
	if err != nil {
		return nil, err
	}
	return f.planRuleset(ctx, "edit", st, rs, e.fresh)
}

// planRuleset compiles a ruleset and plans it.
func (f *Firewall) planRuleset(ctx context.Context, op string, st *state, rs table.Ruleset, fresh func(table.ID, string, int) bool) (*Plan, error) {
	if fresh == nil {
		rs = f.withKept(st, rs)
	}
	rs, p, err := f.compiled(ctx, op, st, rs, fresh)
	if err != nil {
		return nil, err
	}
	return f.plan(op, st, rs, wanted{program: p})
}

// compiled is a ruleset, as it can be in the place of what there is, and its program.
func (f *Firewall) compiled(ctx context.Context, op string, st *state, rs table.Ruleset, fresh func(table.ID, string, int) bool) (table.Ruleset, *program.Program, error) {
	if st.trial == probation.Pending {
		return rs, nil, &Error{Op: op, Err: ErrOnProbation, Hint: "confirm it or revert it first"}
	}
	if err := invalid(op, rs.Err()); err != nil {
		return rs, nil, err
	}
	if err := f.fits(op, st, rs); err != nil {
		return rs, nil, err
	}
	rs, err := f.remade(ctx, op, st, rs)
	if err != nil {
		return rs, nil, err
	}
	o := f.opts
	o.Fresh, o.Keeper, o.SetName = fresh, st.kept, f.setNamer(st)
	p, err := compile.Ruleset(rs, o)
	if err != nil {
		return rs, nil, inexact(op, err)
	}
	return rs, p, nil
}

// nothing is a plan that changes nothing.
func (f *Firewall) nothing(op string, st *state) *Plan {
	return &Plan{f: f, op: op, st: st, have: &program.Program{}, want: &program.Program{}, changes: func() []Change { return nil }}
}

// fits refuses a table for one family where the owner has one for both, unless
// the ruleset replaces all of it: the other family's half would be left hooked
// or lost, and neither was said.
func (f *Firewall) fits(op string, st *state, rs table.Ruleset) error {
	for t := range rs.Tables() {
		id := t.ID()
		if id.Family() == nf.Both {
			continue
		}
		if !f.mayHaveBoth(st, id) {
			continue
		}
		if _, both := st.rules().Table(id.For(nf.Both)); !both {
			continue
		}
		_, v4 := rs.Table(id.IPv4())
		_, v6 := rs.Table(id.IPv6())
		if !v4 || !v6 {
			return &Error{
				Op: op, Table: id, Family: id.Family(), Err: ErrInvalid,
				Hint: "the owner has this table for both families: name both, or Remove it first",
			}
		}
	}
	return nil
}

// mayHaveBoth says whether the owner's nf_tables tables of a name could be a table
// for both families: an inet table, or two.
func (f *Firewall) mayHaveBoth(st *state, id table.ID) bool {
	n := 0
	for _, t := range st.raw.Tables {
		if own, _ := compile.Owned(t.Family, t.Name, f.opts); own.Name() != id.Name() {
			continue
		}
		if n++; t.Family == program.Inet {
			return true
		}
	}
	return n > 1
}

// plan computes the steps from the state to what is wanted.
func (f *Firewall) plan(op string, st *state, after table.Ruleset, w wanted) (*Plan, error) {
	p := &Plan{f: f, op: op, st: st, after: after, have: &program.Program{}}
	for _, t := range st.raw.Tables {
		if id, _ := compile.Owned(t.Family, t.Name, f.opts); w.all || w.only[id.Name()] || w.only == nil && f.concerns(t, after) {
			p.have.Tables = append(p.have.Tables, t)
		}
	}
	if err := p.checkSets(w.program); err != nil {
		return nil, err
	}
	p.want = constset.LowerBut(withForeign(w.program, p.have, f.opts), anonymous(p.have))
	if !f.opts.Plain {
		p.want = page.Page(p.want, p.have, page.Size)
	}
	p.delta = delta.Diff(p.have, p.want, delta.Options{MaxBatch: st.most()})
	if st.newer && !p.delta.Empty() {
		return nil, &Error{Op: p.op, Err: ErrNewer, Hint: "update this program, or Remove the tables with the newer one"}
	}
	p.changes = sync.OnceValue(func() []Change { return changes(f.before(st, p.have), after) })
	return p, nil
}

// concerns says whether a ruleset replaces a table: one of that name for a
// family that it shares.
func (f *Firewall) concerns(t *program.Table, rs table.Ruleset) bool {
	id, _ := compile.Owned(t.Family, t.Name, f.opts)
	for x := range rs.Tables() {
		if x.ID().Name() != id.Name() {
			continue
		}
		if _, ok := x.ID().Family().And(id.Family()); ok {
			return true
		}
	}
	return false
}

// before are the tables as the model has them that a plan is about.
func (f *Firewall) before(st *state, have *program.Program) table.Ruleset {
	var out []table.Table
	for t := range st.rules().Tables() {
		if slices.ContainsFunc(have.Tables, func(x *program.Table) bool {
			id, _ := compile.Owned(x.Family, x.Name, f.opts)
			_, ok := id.Family().And(t.ID().Family())
			return ok && id.Name() == t.ID().Name()
		}) {
			out = append(out, t)
		}
	}
	return table.NewRuleset(out...)
}

// inexact gives a compiler's errors their public form.
func inexact(op string, err error) error {
	var out []error
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) {
		return &Error{Op: op, Err: fmt.Errorf("%w: %w", ErrInexact, err)}
	}
	for _, x := range list.Unwrap() {
		var ce *compile.Error
		if !errors.As(x, &ce) {
			out = append(out, &Error{Op: op, Err: fmt.Errorf("%w: %w", ErrInvalid, x)})
			continue
		}
		e := &Error{
			Op: op, Table: ce.Table, Chain: ce.Chain, Rule: ce.Rule, Set: ce.Set, Text: ce.Text,
			Extension: ce.Extension, Family: ce.Family, Err: fmt.Errorf("%w: %w", ErrInvalid, ce.Err),
		}
		var ie *program.InexactError
		if errors.As(ce.Err, &ie) {
			e.Err, e.Hint = fmt.Errorf("%w: %s", ErrInexact, ie.Why), ie.Hint
			if k, gone := removed(ce.Extension); gone {
				e.Err, e.Feature, e.Hint = fmt.Errorf("%w: %s", ErrUnsupported, ie.Why), k.Missing(false), k.Hint(false, "")
			}
		}
		out = append(out, e)
	}
	return errors.Join(out...)
}

// Changes yields the changes in the model's terms: table by table, chain by chain.
func (p *Plan) Changes() iter.Seq[Change] { return slices.Values(p.changes()) }

// Empty says whether nothing would change.
func (p *Plan) Empty() bool { return p.delta.Empty() }

// String is the plan as a diff in iptables syntax; "" where nothing would change.
func (p *Plan) String() string {
	var b strings.Builder
	for _, c := range p.changes() {
		b.WriteString(c.String() + "\n")
	}
	return b.String()
}
