//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// The package's sentinels, for errors.Is.
var (
	// ErrNoPrivilege says that this process may not make network namespaces:
	// it lacks CAP_SYS_ADMIN, and it is not (or may not be) in a user
	// namespace of its own. See Enter.
	ErrNoPrivilege = errors.New("no privilege to make network namespaces")
	// ErrClosed says that the lab was closed.
	ErrClosed = errors.New("lab is closed")
	// ErrNoAnswer says that nothing came back in time.
	ErrNoAnswer = errors.New("no answer")
)

// Lab owns throwaway hosts and whatever runs in them. Its methods may be
// called from any goroutine. The zero value is of no use; see New.
type Lab struct {
	stop func() bool // detaches the lab from its context

	mu      sync.Mutex
	closed  bool
	hosts   []*Host
	closers map[io.Closer]struct{}
	done    chan struct{} // closed when Close has finished
	err     error         // what Close found
}

// New makes an empty lab. It is closed when ctx is done, or by Close.
// The error is ErrNoPrivilege if this process may not make namespaces.
func New(ctx context.Context) (*Lab, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	if err := Privileged(); err != nil {
		return nil, err
	}
	l := &Lab{closers: make(map[io.Closer]struct{}), done: make(chan struct{})}
	l.stop = context.AfterFunc(ctx, func() { _ = l.Close() })
	return l, nil
}

// Close ends everything that runs in the lab's hosts: programs started by
// Host.Start are killed, listeners, connections and captures are closed, and
// the namespaces are released. It returns when no goroutine and no process of
// the lab is left. Closing twice does no harm and gives the same error.
func (l *Lab) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.done
		return l.err
	}
	l.closed = true
	closers, hosts := l.closers, l.hosts
	l.closers, l.hosts = nil, nil
	l.mu.Unlock()

	l.stop()
	for c := range closers {
		_ = c.Close() // closed by its user already, most often
	}
	var errs []error
	for _, h := range hosts {
		errs = append(errs, h.close())
	}
	l.err = errors.Join(errs...)
	close(l.done)
	return l.err
}

// track makes c close with the lab. On a closed lab it closes c at once.
func (l *Lab) track(c io.Closer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close()
		return fmt.Errorf("lab: %w", ErrClosed)
	}
	l.closers[c] = struct{}{}
	return nil
}

// untrack forgets c, which was closed by its user.
func (l *Lab) untrack(c io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.closers, c)
}
