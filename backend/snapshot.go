package backend

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/staging"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Snapshot is one generation of a whole namespace. Immutable.
type Snapshot struct {
	generation uint32
	ours       table.Ruleset
	others     []Other
	unseen     error
}

// Snapshot reads the whole namespace, other programs' tables included, at one generation.
func (f *Firewall) Snapshot(ctx context.Context) (*Snapshot, error) {
	got, err := f.drv.Read(ctx, driver.Scope{})
	if err != nil {
		return nil, f.driverError("read", err)
	}
	s, err := f.snapshotOf("read", got)
	if err != nil {
		return nil, err
	}
	if err := f.seeLegacy(ctx, s, got); err != nil {
		return nil, err
	}
	return s, nil
}

// snapshotOf is what was read as a value.
func (f *Firewall) snapshotOf(op string, got *driver.State) (*Snapshot, error) {
	st, err := f.state(op, got)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{generation: got.Generation, ours: st.rules()}
	for _, t := range got.Program.Tables {
		if !f.owned(t.Family, t.Name) && !staging.Is(f.cfg.Owner, t.Name) {
			s.others = append(s.others, f.other(t, st.raw))
		}
	}
	return s, nil
}

// seeLegacy adds the tables that nf_tables does not know of.
func (f *Firewall) seeLegacy(ctx context.Context, s *Snapshot, got *driver.State) error {
	ours := slices.DeleteFunc(slices.Clone(got.Program.Tables), func(t *program.Table) bool { return !f.owned(t.Family, t.Name) })
	old, err := legacy(ctx, f.drv, basesOf(&program.Program{Tables: ours}))
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return f.driverError("read", err)
	}
	s.others, s.unseen = append(s.others, old...), err
	return nil
}

// Generation is the kernel's count of commits in this namespace.
func (s *Snapshot) Generation() uint32 { return s.generation }

// Ours is the owner's ruleset.
func (s *Snapshot) Ours() table.Ruleset { return s.ours }

// Others are the tables of other programs, those of iptables-legacy included, with
// the hooks that their packets pass.
func (s *Snapshot) Others() []Other { return slices.Clone(s.others) }

// Unseen says why there may be legacy tables that Others does not have: their list
// in /proc could not be read in the namespace. nil: Others is complete.
func (s *Snapshot) Unseen() error { return s.unseen }

// with is the snapshot as a plan would leave it.
func (s *Snapshot) with(f *Firewall, p *Plan) *Snapshot {
	after := *s
	var tables []table.Table
	replaced := f.before(p.st, p.have)
	for t := range s.ours.Tables() {
		if _, ok := replaced.Table(t.ID()); !ok {
			tables = append(tables, t)
		}
	}
	for t := range p.after.Tables() {
		tables = append(tables, t)
	}
	after.ours = table.NewRuleset(tables...)
	return &after
}
