package backend

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/image"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// An Edit that does what an image of the owner's tables can answer (rules are added,
// deleted, replaced, looked for) neither reads all of them nor computes a difference: it
// sends what it changes. Whatever else it does, and whatever is refused, is done with all
// of the tables before it, as if there were no image.

// idleTime is how long commits are followed after the last Edit. To follow them costs
// everybody who commits; to make a new image costs one reading.
const idleTime = 10 * time.Second

// large is how many operations are committed without following them: their events
// would cost as much again.
const large = 1024

// quick is a Firewall's image. The lock is held for a question to it, for reading what
// it lacks, and for a commit; not while an Edit's function runs.
type quick struct {
	f    *Firewall
	lock chan struct{}

	image *image.Image // nil: to be made
	watch driver.Watch // nil: commits are not followed
	again bool         // there was an Edit before
	idle  *time.Timer
	done  bool
	turn  courtesy
}

func newQuick(f *Firewall) *quick { return &quick{f: f, lock: make(chan struct{}, 1)} }

// take waits for the lock.
func (q *quick) take(ctx context.Context) error {
	select {
	case q.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *quick) release() { <-q.lock }

// sync brings the image up to date, or makes it. The lock is held.
func (q *quick) sync(ctx context.Context) error {
	following := q.watch != nil
	if err := q.follow(ctx); err != nil {
		return err
	}
	if q.image != nil && !following {
		gen, err := q.f.drv.Generation(ctx)
		if err != nil {
			return err
		}
		if gen != q.image.Generation {
			q.image = nil
		}
	}
	if q.image != nil {
		if err := q.poll(); err != nil {
			return err
		}
	}
	if q.image != nil {
		return nil
	}
	got, err := q.f.drv.Read(ctx, driver.Scope{Table: q.f.scope(nil).Table, Bare: true})
	if err != nil {
		return err
	}
	q.image = image.New(got, q.f.opts, func(t *program.Table) bool { return q.f.mine("edit", t) == nil })
	return q.poll()
}

// follow opens a watch from the second Edit on: a program that makes one is gone by
// then.
func (q *quick) follow(ctx context.Context) error {
	if q.watch == nil && q.again && !q.done {
		w, err := q.f.drv.Watch(ctx)
		if err != nil {
			return err
		}
		q.watch = w
	}
	q.again = true
	switch {
	case q.watch == nil:
	case q.idle == nil:
		q.idle = time.AfterFunc(idleTime, q.rest)
	default:
		q.idle.Reset(idleTime)
	}
	return nil
}

// poll takes what was committed since into the image, which is gone where that cannot be.
func (q *quick) poll() error {
	for q.watch != nil {
		seen, ok, err := q.watch.Poll()
		if err != nil {
			q.unfollow()
			return err
		}
		if !ok {
			return nil
		}
		if q.image != nil && !q.image.Follow(seen) {
			q.image = nil
		}
	}
	return nil
}

// unfollow closes the watch. The image stays, and is good as long as nobody commits.
func (q *quick) unfollow() {
	if q.watch != nil {
		_ = q.watch.Close()
		q.watch = nil
	}
}

// rest ends following when there was no Edit for a while.
func (q *quick) rest() {
	q.lock <- struct{}{}
	defer q.release()
	_ = q.poll() // the last Edit's own commit, above all
	q.unfollow()
}

// aside ends following for a commit that is large.
func (q *quick) aside(ctx context.Context, w *way) {
	n := len(w.turn)
	for _, ops := range w.stage {
		n += len(ops)
	}
	if n < large || q.take(ctx) != nil {
		return
	}
	defer q.release()
	q.unfollow()
	q.image = nil
}

func (q *quick) close() {
	q.lock <- struct{}{}
	defer q.release()
	q.unfollow()
	q.image, q.done = nil, true
	if q.idle != nil {
		q.idle.Stop()
	}
}

// chunk is about how many rules are read into the image at once: what was read is not
// needed any longer then.
const chunk = 1 << 14

// load reads chains' rules into the image; errStale where the image is another then.
// The lock is held.
func (q *quick) load(ctx context.Context, t *image.Table, chains []*image.Chain) error {
	m := q.image
	for len(chains) > 0 {
		some, n := map[*image.Chain]bool{}, 0
		names := map[string]bool{}
		for len(chains) > 0 && n < chunk {
			some[chains[0]], names[chains[0].Name] = true, true
			n += chains[0].Size()
			chains = chains[1:]
		}
		got, err := q.readChains(ctx, t, names)
		if err != nil {
			return err
		}
		version := m.Version
		if err := q.poll(); err != nil {
			return err
		}
		if q.image != m || m.Version != version || m.Generation != got.Generation {
			q.stale(got.Generation)
			return errStale
		}
		m.Take(got.Program, some)
		if t.Odd {
			return errOdd
		}
	}
	return nil
}

// stale drops an image that is behind a generation which nobody told of.
func (q *quick) stale(generation uint32) {
	if q.image != nil && int32(generation-q.image.Generation) > 0 {
		q.image = nil
	}
}

// readChains reads the rules of some chains of a table.
func (q *quick) readChains(ctx context.Context, t *image.Table, names map[string]bool) (*driver.State, error) {
	return q.f.drv.Read(ctx, driver.Scope{
		Table: func(f program.Family, name string) bool { return f == t.Family && name == t.Name },
		Chain: func(_ *program.Table, c *program.Chain) bool { return names[c.Name] },
		Elements: func(_ *program.Table, s *program.Set) bool {
			return s.Flags&program.SetConstant != 0 && s.Flags&program.SetMap == 0
		},
	})
}

// errOdd says that an image is of no use here: everything is to be read.
var errOdd = errors.New("not to be done from an image")

// courtesy is a turn for Edits of one Firewall that were in each other's way. It is not
// waited for long: an Edit may be run within another.
type courtesy struct{ mu sync.Mutex }

func (c *courtesy) try(ctx context.Context) (leave func()) {
	for end := time.Now().Add(longPause); !c.mu.TryLock(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return func() {}
		}
	}
	return c.mu.Unlock
}
