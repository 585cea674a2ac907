package nft

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"golang.org/x/sys/unix"
)

// watch is a socket of its own that the namespace's events come to.
type watch struct {
	k    *kernel
	s    *socket
	dec  wire.Decoder
	sets map[setKey]*program.Set // what elements were of; nil: not to be found out
	next driver.Seen             // the commit whose events are coming
	rest []byte                  // of the datagram that was received last
}

type setKey struct {
	table tableKey
	set   string
}

// Watch follows what is committed from now on.
func (k *kernel) Watch(ctx context.Context) (driver.Watch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := k.socket()
	if err != nil {
		return nil, k.explain(err)
	}
	s.setBuffer(unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, k.watching)
	if err := s.conn.JoinGroup(unix.NFNLGRP_NFTABLES); err != nil {
		s.close()
		return nil, k.explain(err)
	}
	return &watch{k: k, s: s, sets: map[setKey]*program.Set{}}, nil
}

// Close ends the watch; a Next that waits ends with fs.ErrClosed.
func (w *watch) Close() error { return w.s.close() }

// Next waits for a commit.
func (w *watch) Next(ctx context.Context) (driver.Seen, error) {
	if err := w.s.take(ctx); err != nil {
		return driver.Seen{}, err
	}
	defer w.s.release()
	defer w.s.bound(ctx)()
	for {
		if seen, ok, err := w.read(); ok || err != nil {
			return seen, err
		}
		b, err := w.s.receive(ctx)
		if seen, ok, err := w.got(b, err); ok || err != nil {
			return seen, err
		}
	}
}

// Poll is Next that does not wait.
func (w *watch) Poll() (driver.Seen, bool, error) {
	for {
		if seen, ok, err := w.read(); ok || err != nil {
			return seen, ok, err
		}
		b, err := w.s.poll()
		if errors.Is(err, unix.EAGAIN) {
			return driver.Seen{}, false, nil
		}
		if seen, ok, err := w.got(b, err); ok || err != nil {
			return seen, ok, err
		}
	}
}

// got keeps a datagram that was received. Where events were lost what came
// before is of no use, and goes; a commit whose events were coming just then has
// a generation already that whoever reads now will find.
func (w *watch) got(b []byte, err error) (driver.Seen, bool, error) {
	if errors.Is(err, unix.ENOBUFS) {
		for !errors.Is(err, unix.EAGAIN) {
			if _, err = w.s.poll(); err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EAGAIN) {
				return driver.Seen{}, false, err
			}
		}
		w.next, w.rest = driver.Seen{}, nil
		clear(w.sets)
		return driver.Seen{Lost: true}, true, nil
	}
	w.rest = b
	return driver.Seen{}, false, err
}

// read reads what was received; ok is true where a commit is complete.
func (w *watch) read() (seen driver.Seen, ok bool, err error) {
	for len(w.rest) > 0 {
		m, rest, ok, err := wire.Next(w.rest)
		if err != nil || !ok {
			w.rest = nil
			return seen, false, err
		}
		w.rest = rest
		if m.Type == wire.NewGen {
			seen, err := wire.DecodeCommit(m)
			if err != nil {
				return seen, false, err
			}
			seen.Events, seen.Own = w.next.Events, m.PID == w.k.control.port()
			w.next = driver.Seen{}
			return seen, true, nil
		}
		e, ok, err := w.dec.Event(m, w.set)
		if err != nil {
			return seen, false, err
		}
		if ok {
			w.remember(e)
			w.next.Events = append(w.next.Events, e)
		}
	}
	return seen, false, nil
}

// remember keeps what sets there are.
func (w *watch) remember(e driver.Event) {
	key := func(name string) setKey { return setKey{tableKey{e.Table.Family, e.Table.Name}, name} }
	switch e.Kind {
	case driver.AddSet:
		w.sets[key(e.Set.Name)] = e.Set
	case driver.DeleteSet:
		delete(w.sets, key(e.Set.Name))
	case driver.DeleteTable:
		maps.DeleteFunc(w.sets, func(k setKey, _ *program.Set) bool { return k.table == key("").table })
	}
}

// askTime bounds the question what a set is.
const askTime = time.Second

// set finds the set that elements are of: one that was there before the watch is
// asked for.
func (w *watch) set(f program.Family, table, name string) *program.Set {
	key := setKey{tableKey{f, table}, name}
	if s, ok := w.sets[key]; ok {
		return s
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	var found *program.Set
	if w.k.control.take(ctx) == nil {
		defer w.k.control.release()
		_ = w.k.control.ask(ctx, func(seq uint32) []byte {
			return wire.AskSet(seq, f, table, name)
		}, func(m wire.Message) (err error) {
			_, found, _, err = wire.DecodeSet(m)
			return err
		}) // gone by now: its elements cannot be read
	}
	w.sets[key] = found
	return found
}

// port is the number by which the kernel knows the socket.
func (s *socket) port() (port uint32) {
	_ = s.raw.Control(func(fd uintptr) {
		if sa, err := unix.Getsockname(int(fd)); err == nil {
			if nl, ok := sa.(*unix.SockaddrNetlink); ok {
				port = nl.Pid
			}
		}
	})
	return port
}
