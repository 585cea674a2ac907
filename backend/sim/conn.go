package sim

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// conn is one connection to a host: the driver that a Firewall stands on.
type conn struct {
	host   *Host
	closed atomic.Bool
}

var _ driver.Driver = (*conn)(nil)

// dial connects to the host.
func (h *Host) dial() *conn { return &conn{host: h} }

// usable is nil, the context's error or fs.ErrClosed.
func (c *conn) usable(ctx context.Context) error {
	if c.closed.Load() {
		return fs.ErrClosed
	}
	return ctx.Err()
}

// Generation is the count of commits on the host.
func (c *conn) Generation(ctx context.Context) (uint32, error) {
	if err := c.usable(ctx); err != nil {
		return 0, err
	}
	return c.host.now().generation, nil
}

// Read copies the tables in scope.
func (c *conn) Read(ctx context.Context, s driver.Scope) (*driver.State, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	held := c.host.now()
	out := &driver.State{Generation: held.generation, Program: &program.Program{}}
	for _, t := range held.tables {
		if s.Table == nil || s.Table(t.Family, t.Name) {
			out.Program.Tables = append(out.Program.Tables, t.copy(s, held.uptime))
		}
	}
	return out, nil
}

// elementsEach is how many elements Elements hands out at once.
const elementsEach = 512

// Elements hands out a set's elements as they are when it is called.
func (c *conn) Elements(ctx context.Context, named *program.Table, name string, each func(*program.Set, []program.Element) error) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	held := c.host.now()
	for _, t := range held.tables {
		s := t.setNamed[name]
		if t.Family != named.Family || t.Name != named.Name || s == nil {
			continue
		}
		head := s.Set
		for part := range slices.Chunk(s.sorted(held.uptime), elementsEach) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := each(&head, part); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("set %s: %w", name, errMissing)
}

// Commit makes the operations one transaction.
func (c *conn) Commit(ctx context.Context, b driver.Batch) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	h := c.host
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.Generation != 0 && b.Generation != h.state.generation {
		return fmt.Errorf("%w: generation %d, not %d", driver.ErrConflict, h.state.generation, b.Generation)
	}
	next, failures := h.state.commit(b.Ops)
	if len(failures) > 0 {
		return &driver.CommitError{Failures: failures}
	}
	if !b.Trial {
		h.tell(c, h.state, next)
		h.state = next
	}
	return nil
}

// Probe says whether Linux 6.18 has the extension.
func (c *conn) Probe(ctx context.Context, x driver.XT) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	if !knows(x) {
		return fmt.Errorf("%w: %s revision %d", driver.ErrUnsupported, x.Name, x.Rev)
	}
	return nil
}

// Close ends the connection; the host keeps its tables.
func (c *conn) Close() error {
	c.closed.Store(true)
	return nil
}
