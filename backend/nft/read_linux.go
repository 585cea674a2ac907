package nft

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"golang.org/x/sys/unix"
)

// readTime bounds how long reading is tried while others commit.
const readTime = 10 * time.Second

// errMoved says that what was read does not fit together; it is read again.
var errMoved = errors.New("changed while it was read")

// tableKey is what a table is known by.
type tableKey struct {
	family program.Family
	name   string
}

// reading is one Read under way.
type reading struct {
	*kernel
	scope  driver.Scope
	tables []*program.Table            // in scope, in the kernel's order, as listed last
	clean  map[tableKey]*program.Table // read, and not changed since
	chains map[tableKey][]*program.Chain
	dec    wire.Decoder
	ipsets ipsetNames
}

// Read reads the tables in scope. Where nobody commits meanwhile it reads once.
// Else it follows the namespace's events, and reads again what they are about,
// until nothing that was read has changed.
func (k *kernel) Read(ctx context.Context, s driver.Scope) (*driver.State, error) {
	if err := k.dumps.take(ctx); err != nil {
		return nil, err
	}
	defer k.dumps.release()
	r := &reading{kernel: k, scope: s, clean: make(map[tableKey]*program.Table)}
	gen, err := r.once(ctx)
	if errors.Is(err, errMoved) {
		gen, err = r.follow(ctx)
	}
	if err != nil {
		return nil, k.explain(err)
	}
	p := &program.Program{}
	for _, t := range r.tables {
		p.Tables = append(p.Tables, r.clean[tableKey{t.Family, t.Name}])
	}
	return &driver.State{Generation: gen, Program: p, MaxBatch: k.maxBatch}, nil
}

// once reads everything, and is errMoved where somebody committed meanwhile.
func (r *reading) once(ctx context.Context) (gen uint32, err error) {
	if gen, err = r.generation(ctx, r.dumps); err != nil {
		return 0, err
	}
	if err := r.pass(ctx); err != nil {
		return 0, err
	}
	now, err := r.generation(ctx, r.dumps)
	if err == nil && now != gen {
		err = errMoved
	}
	return gen, err
}

// follow reads while it follows events, until nothing is left to be read again.
func (r *reading) follow(ctx context.Context) (gen uint32, err error) {
	bounded, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	gen, err = r.following(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return 0, driver.ErrUnstable
	}
	return gen, err
}

func (r *reading) following(ctx context.Context) (gen uint32, err error) {
	w, err := r.watch(ctx)
	if err != nil {
		return 0, err
	}
	defer w.end()
	clear(r.clean)
	for first := true; ; first = false {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		gen, err = r.generation(ctx, r.dumps)
		if err != nil {
			return 0, err
		}
		touched, err := w.through(ctx, gen)
		if err != nil {
			return 0, err
		}
		if !first && !r.forget(touched) {
			return gen, nil
		}
		if err := r.pass(ctx); err != nil && !errors.Is(err, errMoved) {
			return 0, err
		}
	}
}

// forget takes what somebody touched out of what is clean, and says whether
// anything in scope is to be read again.
func (r *reading) forget(touched changes) bool {
	again := false
	if touched.all {
		clear(r.clean)
		again = true
	}
	for key := range touched.tables {
		if r.scope.Table == nil || r.scope.Table(key.family, key.name) {
			delete(r.clean, key)
			again = true
		}
	}
	for _, t := range r.tables {
		if r.clean[tableKey{t.Family, t.Name}] == nil {
			again = true
		}
	}
	return again
}

// pass lists the tables, and reads those that are not clean. It goes on after
// errMoved, so that as much as can be is clean after it.
func (r *reading) pass(ctx context.Context) error {
	r.tables, r.chains, r.ipsets = nil, make(map[tableKey][]*program.Chain), nil
	err := r.dumps.ask(ctx, wire.DumpTables, func(m wire.Message) error {
		t, err := wire.DecodeTable(m)
		if err == nil && (r.scope.Table == nil || r.scope.Table(t.Family, t.Name)) {
			r.tables = append(r.tables, t)
		}
		return err
	})
	if err != nil {
		return err
	}
	listed := make(map[program.Family]bool)
	var moved error
	for _, t := range r.tables {
		key := tableKey{t.Family, t.Name}
		if r.clean[key] != nil {
			continue
		}
		if !listed[t.Family] {
			listed[t.Family] = true
			if err := r.listChains(ctx, t.Family); err != nil {
				return err
			}
		}
		switch err := r.table(ctx, t); {
		case err == nil:
			r.clean[key] = t
		case errors.Is(err, errMoved), errors.Is(err, unix.ENOENT):
			moved = errMoved
		default:
			return fmt.Errorf("reading table %v %s: %w", t.Family, t.Name, err)
		}
	}
	return moved
}

// listChains lists a family's chains; the kernel has no narrower question.
func (r *reading) listChains(ctx context.Context, f program.Family) error {
	return r.dumps.ask(ctx, func(seq uint32) []byte { return wire.DumpChains(seq, f) }, func(m wire.Message) error {
		table, c, err := wire.DecodeChain(m)
		key := tableKey{f, table}
		r.chains[key] = append(r.chains[key], c)
		return err
	})
}

// table reads what is in a table.
func (r *reading) table(ctx context.Context, t *program.Table) error {
	t.Chains = r.chains[tableKey{t.Family, t.Name}]
	constant, err := r.sets(ctx, t)
	if err != nil || r.scope.Bare {
		return err
	}
	for _, c := range t.Chains {
		if r.scope.Chain != nil && !r.scope.Chain(t, c) {
			continue
		}
		if err := r.rules(ctx, t, c, constant); err != nil {
			return err
		}
		if err := r.nameIPSets(ctx, c.Rules); err != nil {
			return err
		}
	}
	// A rule's own set that is no plain constant is listed like others.
	for _, s := range slices.SortedFunc(maps.Values(constant), byHandle) {
		if s.Flags&program.SetAnonymous != 0 {
			t.Sets = append(t.Sets, s)
		}
	}
	return nil
}

func byHandle(a, b *program.Set) int { return cmp.Compare(a.Handle, b.Handle) }

// rules reads a chain's rules, one dump a chain: the kernel walks what it dumps
// from the head for every buffer that it fills.
func (r *reading) rules(ctx context.Context, t *program.Table, c *program.Chain, constant map[string]*program.Set) error {
	return r.dumps.ask(ctx, func(seq uint32) []byte {
		return wire.DumpRules(seq, t.Family, t.Name, c.Name)
	}, func(m wire.Message) error {
		_, _, rule, err := r.dec.Rule(m)
		if err != nil {
			return err
		}
		if len(constant) > 0 {
			wire.Inline(rule.Exprs, constant)
		}
		c.Rules = append(c.Rules, rule)
		return nil
	})
}
