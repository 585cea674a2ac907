//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
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
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			// The runtime can't end the main thread, and its namespace is
			// what /proc/self shows. Locked here, it won't run fn either.
			defer runtime.UnlockOSThread()
			result <- onThread(fn)
			return
		}
		runLocked(fn, result)
	}()
	return <-result
}

// runLocked runs fn on the thread that the goroutine is locked to, and unlocks
// it if it could be restored.
func runLocked(fn func() error, result chan<- error) {
	before, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		result <- fmt.Errorf("own network namespace: %w", err)
		return
	}
	err = errLeft
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
}

// errLeft is the result of a function that never returned: runtime.Goexit, as
// t.FailNow has it, unwinds it.
var errLeft = errors.New("the function ended its goroutine")

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
