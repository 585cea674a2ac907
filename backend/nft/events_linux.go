package nft

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"golang.org/x/sys/unix"
)

// eventTime is how long an event may come after the commit that it is about.
const eventTime = 200 * time.Millisecond

// changes is what commits touched: tables, or anything at all where that is
// not known.
type changes struct {
	tables map[tableKey]bool
	all    bool
}

// watcher follows a namespace's commits. Following costs everybody who commits
// there, so that it is done only while it is needed.
type watcher struct {
	s    *socket
	seen uint32 // generation up to which events were seen
}

// watch begins to follow, from the generation at the time.
func (k *kernel) watch(ctx context.Context) (*watcher, error) {
	if err := k.events.take(ctx); err != nil {
		return nil, err
	}
	w := &watcher{s: k.events}
	if err := k.events.conn.JoinGroup(unix.NFNLGRP_NFTABLES); err != nil {
		k.events.release()
		return nil, k.events.err(err)
	}
	var err error
	if w.seen, err = k.generation(ctx, k.dumps); err != nil {
		w.end()
		return nil, err
	}
	return w, nil
}

// end stops following.
func (w *watcher) end() {
	_ = w.s.conn.LeaveGroup(unix.NFNLGRP_NFTABLES)
	for {
		if _, err := w.s.poll(); err != nil && !errors.Is(err, unix.ENOBUFS) {
			break
		}
	}
	w.s.release()
}

// through returns what all commits touched that were not returned yet, up to
// generation gen at least.
func (w *watcher) through(ctx context.Context, gen uint32) (c changes, err error) {
	c.tables = make(map[tableKey]bool)
	bounded, cancel := context.WithTimeout(ctx, eventTime)
	defer cancel()
	defer w.s.bound(bounded)()
	for int32(w.seen-gen) < 0 {
		b, err := w.s.receive(bounded)
		switch {
		case err == nil:
			if err := w.note(b, &c); err != nil {
				return c, err
			}
		case errors.Is(err, unix.ENOBUFS): // events were lost
			c.all = true
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			c.all, w.seen = true, gen
		default:
			return c, err
		}
	}
	return c, nil
}

// note notes the events in a datagram.
func (w *watcher) note(b []byte, c *changes) error {
	for {
		m, rest, ok, err := wire.Next(b)
		if err != nil || !ok {
			return err
		}
		b = rest
		if m.Type == wire.NewGen {
			gen, err := wire.DecodeGeneration(m)
			if err != nil {
				return err
			}
			if int32(gen-w.seen) > 0 {
				w.seen = gen
			}
			continue
		}
		name, err := wire.EventTable(m)
		if err != nil {
			return err
		}
		c.tables[tableKey{m.Family(), name}] = true
	}
}
