//go:build linux

package lab

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// onThread runs fn on an OS thread of its own choosing that fn may take to
// another network namespace; afterwards the thread goes back to where it was.
// A thread that can't go back is never used again: its goroutine ends locked,
// and the runtime ends the thread with it.
func onThread(fn func() error) error {
	result := make(chan error, 1)
	go func() {
		err := errors.New("function ended its goroutine") // by runtime.Goexit, as t.FailNow does
		runtime.LockOSThread()
		before, getErr := netns.Get()
		if getErr != nil {
			runtime.UnlockOSThread()
			result <- fmt.Errorf("own network namespace: %w", getErr)
			return
		}
		defer func() {
			setErr := netns.Set(before)
			_ = before.Close()
			if setErr == nil {
				runtime.UnlockOSThread()
			} else {
				err = errors.Join(err, fmt.Errorf("back to own network namespace: %w", setErr))
			}
			result <- err
		}()
		err = fn()
	}()
	return <-result
}

// newNamespace makes a network namespace and returns the descriptor that
// keeps it alive.
func newNamespace() (netns.NsHandle, error) {
	ns := netns.None()
	err := onThread(func() error {
		var err error
		ns, err = netns.New()
		return err
	})
	if err != nil {
		if ns.IsOpen() {
			_ = ns.Close()
		}
		if errors.Is(err, unix.EPERM) {
			return netns.None(), fmt.Errorf("lab: %w: %w", ErrNoPrivilege, err)
		}
		return netns.None(), fmt.Errorf("lab: new network namespace: %w", err)
	}
	return ns, nil
}

// Privileged says whether this process may make labs, by making one namespace
// and letting it go. It returns nil, or an error that is ErrNoPrivilege.
func Privileged() error {
	ns, err := newNamespace()
	if err != nil {
		return err
	}
	return ns.Close()
}
