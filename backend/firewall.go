package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/constset"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/page"
	"github.com/gatehouse-fw/gatehouse/internal/probation"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/staging"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Firewall is one owner's tables in one network namespace. Made by nft.Open or sim.
type Firewall struct {
	cfg    Config
	drv    driver.Driver
	opts   compile.Options
	closed atomic.Bool
	quick  *quick
}

// New is for the module's own backends. It reads nothing and sends nothing.
func New(cfg Config, drv driver.Driver) (*Firewall, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Retries == 0 {
		cfg.Retries = defaultRetries
	}
	f := &Firewall{
		cfg: cfg, drv: drv,
		opts: compile.Options{
			Owner: cfg.Owner, Plain: cfg.Owner == Iptables,
			Offset: int32(cfg.Offset), Uncounted: cfg.Uncounted,
		},
	}
	f.quick = newQuick(f)
	return f, nil
}

// Close releases the connection. What is under way ends with fs.ErrClosed; what
// is in the kernel stays in force.
func (f *Firewall) Close() error {
	if f.closed.Swap(true) {
		return nil
	}
	err := f.drv.Close()
	f.quick.close()
	return err
}

// state is the owner's tables as they were read. What a long ruleset takes long
// to make of them is made when it is asked for, once: to apply a ruleset in the
// place of another nobody needs to see the other.
type state struct {
	generation uint32
	maxBatch   int
	raw        *program.Program        // as the kernel has them, but for what is not a part of the ruleset
	journals   []staging.Journal       // what they say of that
	flat       func() *program.Program // sets and pages folded in; of a change on probation what is in force
	trial      probation.State
	read       func() (table.Ruleset, *compile.Keeper)
	remodel    func() // makes flat and read anew, since raw has changed
	newer      bool   // a newer release wrote some of it
}

// rules is the model of them.
func (st *state) rules() table.Ruleset {
	rs, _ := st.read()
	return rs
}

// kept are the programs that are written back to the byte.
func (st *state) kept() *compile.Keeper {
	_, kept := st.read()
	return kept
}

// owned says whether a table is this owner's by its name.
func (f *Firewall) owned(fam program.Family, name string) bool {
	_, ok := compile.Owned(fam, name, f.opts)
	return ok
}

// read reads the owner's tables. Of sets of one's own it reads the elements of those
// that need chooses; nil: all. Guards are shown everything.
func (f *Firewall) read(ctx context.Context, op string, need needed) (*state, error) {
	scope := f.scope(nil)
	if need != nil && len(f.cfg.Guards) == 0 {
		scope = f.scope(f.chosen(need))
	}
	got, err := f.drv.Read(ctx, scope)
	if err != nil {
		return nil, f.driverError(op, err)
	}
	return f.state(op, got)
}

// state makes a model of what was read.
func (f *Firewall) state(op string, got *driver.State) (*state, error) {
	st := &state{generation: got.Generation, maxBatch: got.MaxBatch, raw: &program.Program{}}
	st.journals = staging.Read(got.Program, f.cfg.Owner)
	st.remodel = func() { f.remodel(st) }
	for _, t := range staging.Hide(got.Program, f.cfg.Owner, "", st.journals).Tables {
		if !f.owned(t.Family, t.Name) {
			continue
		}
		if err := f.mine(op, t); err != nil {
			return nil, err
		}
		st.raw.Tables = append(st.raw.Tables, t)
	}
	st.remodel()
	st.newer = compile.Newer(st.raw)
	return st, nil
}

// remodel makes a model of raw when it is asked for.
func (f *Firewall) remodel(st *state) {
	st.trial = probation.Of(st.raw)
	st.flat = sync.OnceValue(func() *program.Program {
		old, tried := probation.Split(page.Unpage(constset.Raise(st.raw)))
		if st.trial == probation.Pending || st.trial == probation.Confirmed {
			return tried
		}
		return old
	})
	st.read = sync.OnceValues(func() (table.Ruleset, *compile.Keeper) {
		rs, kept, _ := compile.Read(st.flat(), f.opts) // the error is newer's
		return rs, kept
	})
}

// mine refuses a table that has our name and another owner's mark, or none.
func (f *Firewall) mine(op string, t *program.Table) error {
	if f.opts.Plain {
		return nil
	}
	if ud, ok, _ := userdata.DecodeTable(t.UserData); ok && ud.Owner == f.cfg.Owner {
		return nil
	}
	id, _ := compile.Owned(t.Family, t.Name, f.opts)
	return &Error{
		Op: op, Table: id, Err: ErrNotOurs,
		Hint: fmt.Sprintf("the table %v %s was not made by this owner; choose another Config.Owner, or remove it", t.Family, t.Name),
	}
}

// Read returns the owner's tables as the kernel runs them, with counters: those
// named, or all. A table that is not there is not in the ruleset.
func (f *Firewall) Read(ctx context.Context, tables ...table.ID) (table.Ruleset, error) {
	st, err := f.read(ctx, "read", nil)
	if err != nil || len(tables) == 0 {
		if err != nil {
			return table.Ruleset{}, err
		}
		return st.rules(), nil
	}
	var out []table.Table
	for _, id := range tables {
		if t, ok := st.rules().Table(id); ok {
			out = append(out, t)
		}
	}
	return table.NewRuleset(out...), nil
}

// Remove takes away every table of the owner: what an uninstall does. Nothing to
// remove is no error.
func (f *Firewall) Remove(ctx context.Context) error {
	return f.change(ctx, opRemove, noElements, func(st *state) (*Plan, error) {
		return f.plan(opRemove, st, table.Ruleset{}, wanted{all: true, program: &program.Program{}})
	})
}

// opRemove is Remove's name in errors.
const opRemove = "remove"

// driverError gives a driver's error its public identity.
func (f *Firewall) driverError(op string, err error) error {
	e := &Error{Op: op, Err: err}
	for _, pair := range [...]struct{ from, to error }{
		{driver.ErrConflict, ErrConflict},
		{driver.ErrUncertain, ErrUncertain},
		{driver.ErrUnstable, ErrUnstable},
		{driver.ErrTooLarge, ErrTooLarge},
		{driver.ErrUnsupported, ErrUnsupported},
	} {
		if errors.Is(err, pair.from) {
			e.Err = fmt.Errorf("%w: %w", pair.to, err)
		}
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "programming a packet filter needs CAP_NET_ADMIN in the user namespace that owns the network namespace"
		var hinted interface{ Hint() string }
		if errors.As(err, &hinted) {
			e.Hint = hinted.Hint()
		}
	case errors.Is(err, ErrTooLarge):
		e.Hint = "change less at once, or run with CAP_NET_ADMIN in the first user namespace, where the limit is lifted"
	}
	return e
}
