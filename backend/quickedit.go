package backend

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/image"
	"github.com/gatehouse-fw/gatehouse/table"
)

// edit is Firewall.Edit with the image. Not done: it is to be done without, nothing was,
// and so many tries were in vain.
func (q *quick) edit(ctx context.Context, fn func(e *Edit) error) (tries int, done bool, err error) {
	if len(q.f.cfg.Guards) > 0 {
		return 0, false, nil // they are shown everything
	}
	start := time.Now()
	for try := 0; ; try++ {
		leave := func() {}
		if try > 0 {
			leave = q.turn.try(ctx)
		}
		done, err = q.once(ctx, fn, try, start)
		leave()
		if !errors.Is(err, errStale) {
			return try, done, err
		}
		if try == q.f.cfg.Retries {
			return try, true, conflict("edit", try+1)
		}
		if err := pause(ctx, try); err != nil {
			return try, true, err
		}
	}
}

// once is one try; errStale where it is worth another.
func (q *quick) once(ctx context.Context, fn func(e *Edit) error, try int, start time.Time) (done bool, err error) {
	x := &quickEdit{q: q, ctx: ctx, lists: map[chainKey]*image.List{}}
	if err := q.take(ctx); err != nil {
		return true, err
	}
	err = q.sync(ctx)
	if x.image = q.image; x.image != nil {
		x.version = x.image.Version
	}
	q.release()
	if err != nil || x.image == nil {
		return false, nil // reading everything says why, or gets through
	}
	e := &Edit{quick: x}
	err = fn(e)
	if e.quick == nil {
		return q.widened(ctx, e, err, try, start)
	}
	switch {
	case x.err != nil:
		return false, staleOnly(x.err)
	case err != nil:
		return true, err
	case e.err != nil:
		return true, errors.Join(e.err)
	}
	ops, changes, err := x.ops()
	if err != nil {
		return false, staleOnly(err)
	}
	if len(ops) == 0 {
		return true, nil
	}
	return x.commit(ops, changes, try, start)
}

// staleOnly is errStale; of what else is wrong, the way that reads everything tells.
func staleOnly(err error) error {
	if errors.Is(err, errStale) {
		return err
	}
	return nil
}

// widened ends an Edit that had to have everything read.
func (q *quick) widened(ctx context.Context, e *Edit, err error, try int, start time.Time) (bool, error) {
	switch {
	case errors.Is(e.err, errStale):
		return false, errStale
	case e.wide == nil:
		return false, nil
	case err != nil:
		return true, err
	}
	p, err := q.f.planned(ctx, e.wide, e)
	if err == nil {
		err = q.f.send(ctx, p)
	}
	if err == nil {
		q.f.observe(ctx, p, try, start)
	}
	return true, err
}

// quickEdit is one Edit that is answered from the image.
type quickEdit struct {
	q       *quick
	ctx     context.Context
	image   *image.Image
	version uint64 // that of the image when it began
	lists   map[chainKey]*image.List
	order   []chainKey
	log     []func() // what was done, to be done again where everything has to be read
	asked   bool     // something was answered
	err     error    // why it cannot go on
}

type chainKey struct {
	id   table.ID
	name string
}

// list is the chain as the Edit has left it, for its end only or, with whole, all of it;
// nil where it must be found in everything, or where err is set.
func (x *quickEdit) list(id table.ID, name string, whole bool) *image.List {
	if x.err != nil {
		return nil
	}
	key := chainKey{id, name}
	l := x.lists[key]
	if l != nil && (!whole || l.Whole()) {
		return l
	}
	if l != nil && l.Changed() {
		return nil
	}
	x.locked(func(t *image.Table) {
		c := t.Chain(name)
		if c == nil {
			return
		}
		for n := 0; n < 2 && x.err == nil; n++ { // first the chain, then its pages
			unread := t.Unread(c)
			if c.Read && !whole {
				unread = nil
				if end := t.End(c); end != nil {
					unread = []*image.Chain{end}
				}
			}
			x.err = x.q.load(x.ctx, t, unread)
		}
		if x.err == nil {
			if x.lists[key] == nil {
				x.order = append(x.order, key)
			}
			x.lists[key] = t.List(c)
		}
	}, id)
	if x.err != nil {
		return nil
	}
	return x.lists[key]
}

// locked does something with a table of the image, if that is what it was, and there is
// such a table.
func (x *quickEdit) locked(do func(t *image.Table), id table.ID) {
	if x.err = x.q.take(x.ctx); x.err != nil {
		return
	}
	defer x.q.release()
	if x.q.image != x.image || x.image.Version != x.version {
		x.err = errStale
		return
	}
	if t := x.image.Table(id); t != nil {
		do(t)
	}
}

// has says whether there is a chain of that name; known is false where that must be found
// in everything.
func (x *quickEdit) has(id table.ID, name string) (has, known bool) {
	x.locked(func(t *image.Table) { has, known = t.Chain(name) != nil, true }, id)
	x.asked = x.asked || known
	return has, known
}

// commit sends operations, if the tables are still as they were.
func (x *quickEdit) commit(ops []driver.Op, changes, try int, start time.Time) (bool, error) {
	q := x.q
	if err := q.take(x.ctx); err != nil {
		return true, err
	}
	err := x.send(ops)
	if err == nil && q.watch == nil {
		q.image = nil // nobody tells what the kernel made of it
	}
	q.release()
	var refused *driver.CommitError
	switch {
	case err == nil:
		q.f.observed(x.ctx, changes, try, start)
		return true, nil
	case errors.Is(err, errStale):
		return false, err
	case errors.As(err, &refused), errors.Is(err, driver.ErrTooLarge), errors.Is(err, driver.ErrUnsupported):
		return false, nil // it is refused again, in the caller's words, or fits in parts
	}
	return true, q.f.driverError("edit", err)
}

// send commits. A conflict with commits elsewhere in the namespace is none.
func (x *quickEdit) send(ops []driver.Op) error {
	q := x.q
	refused := uint32(0) // the generation that was another's already
	for try := 0; try <= q.f.cfg.Retries; try++ {
		if err := q.poll(); err != nil {
			return errStale
		}
		if q.image == x.image && x.image.Generation == refused {
			q.image = nil // nobody told of that
		}
		if q.image != x.image || x.image.Version != x.version {
			return errStale
		}
		err := q.f.drv.Commit(x.ctx, driver.Batch{Generation: x.image.Generation, Ops: ops})
		if !errors.Is(err, driver.ErrConflict) {
			return err
		}
		refused = x.image.Generation
	}
	return errStale
}

// widen goes on with everything read; what was done is done again there.
func (e *Edit) widen() {
	x := e.quick
	if x == nil {
		return
	}
	e.quick = nil
	if errors.Is(x.err, errStale) {
		e.err = errStale
		return
	}
	f := x.q.f
	st, err := f.read(x.ctx, "edit", noElements)
	if err == nil && x.asked {
		err = x.same(st)
	}
	if err != nil {
		e.err = err
		return
	}
	e.wide, e.tables = st, newEdit(st.rules()).tables
	e.load = func(id table.ID, name string) (table.Table, error) { return f.load(x.ctx, "edit", st, id, name) }
	for _, do := range x.log {
		do()
	}
}

// same is errStale where what was read is not what the image was.
func (x *quickEdit) same(st *state) error {
	if err := x.q.take(x.ctx); err != nil {
		return err
	}
	defer x.q.release()
	if x.q.poll() != nil || x.q.image != x.image || x.image.Version != x.version || int32(st.generation-x.image.Generation) > 0 {
		return errStale
	}
	return nil
}
