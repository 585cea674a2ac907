package sim

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
)

// watch is what a host tells of its commits.
type watch struct {
	conn *conn

	mu     sync.Mutex
	seen   []driver.Seen
	more   chan struct{} // holds something when seen does
	closed chan struct{}
}

// Watch follows what is committed from now on.
func (c *conn) Watch(ctx context.Context) (driver.Watch, error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	w := &watch{conn: c, more: make(chan struct{}, 1), closed: make(chan struct{})}
	c.host.mu.Lock()
	defer c.host.mu.Unlock()
	if c.host.watches == nil {
		c.host.watches = map[*watch]bool{}
	}
	c.host.watches[w] = true
	return w, nil
}

// Close ends the watch; a Next that waits ends with fs.ErrClosed.
func (w *watch) Close() error {
	h := w.conn.host
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watches[w] {
		delete(h.watches, w)
		close(w.closed)
	}
	return nil
}

// Next waits for a commit.
func (w *watch) Next(ctx context.Context) (driver.Seen, error) {
	for {
		select {
		case <-w.closed:
			return driver.Seen{}, fs.ErrClosed
		default:
		}
		if seen, ok, err := w.Poll(); ok || err != nil {
			return seen, err
		}
		select {
		case <-ctx.Done():
			return driver.Seen{}, ctx.Err()
		case <-w.closed:
		case <-w.more:
		}
	}
}

// Poll is Next that does not wait.
func (w *watch) Poll() (seen driver.Seen, ok bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		return seen, false, nil
	}
	seen, w.seen = w.seen[0], w.seen[1:]
	return seen, true, nil
}

// tell keeps a commit for whoever reads.
func (w *watch) tell(s driver.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, s)
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// tell tells all who watch of a commit through c.
func (h *Host) tell(c *conn, before, now *state) {
	if len(h.watches) == 0 || before == now {
		return
	}
	s := driver.Seen{
		Generation: now.generation, PID: os.Getpid(), Command: filepath.Base(os.Args[0]),
		Events: happened(before, now),
	}
	for w := range h.watches {
		own := s
		own.Own = w.conn == c
		w.tell(own)
	}
}
