package nft

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Legacy lists the tables of iptables-legacy by what /proc shows in the namespace.
// The kernel makes such a table when a program opens it (IPT_SO_GET_INFO); reading
// the list makes none. The error is a *permissionError where /proc may not be read,
// or where the process may no longer enter the namespace.
func (k *kernel) Legacy(ctx context.Context) (ip, ip6 []string, err error) {
	if err := k.control.take(ctx); err != nil {
		return nil, nil, err
	}
	ns, err := k.control.namespace()
	k.control.release()
	if err != nil {
		return nil, nil, cannotSee(err, k.net, k.user)
	}
	defer ns.Close()
	return legacyIn(ns, k.net, k.user)
}

// legacyIn lists the legacy tables of a namespace, whose names are for errors.
func legacyIn(ns netns.NsHandle, net, user string) (ip, ip6 []string, err error) {
	err = inside(ns, func() (err error) {
		ip, ip6, err = legacyTables()
		return err
	})
	return ip, ip6, cannotSee(err, net, user)
}

// cannotSee makes a *permissionError of a look into /proc that was refused.
func cannotSee(err error, net, user string) error {
	switch {
	case errors.Is(err, unix.EACCES): // the files are root's
		return &permissionError{capability: "CAP_DAC_READ_SEARCH", net: net, user: user, err: err}
	case errors.Is(err, unix.EPERM): // to go there
		return &permissionError{capability: "CAP_SYS_ADMIN", net: net, user: user, err: err}
	}
	return err
}

// namespace is a file of our own for the socket's namespace.
func (s *socket) namespace() (ns netns.NsHandle, err error) {
	ns = netns.None()
	if cerr := s.raw.Control(func(fd uintptr) {
		var n int
		if n, err = unix.IoctlRetInt(int(fd), unix.SIOCGSKNS); err == nil {
			unix.CloseOnExec(n)
			ns = netns.NsHandle(n)
		}
	}); cerr != nil {
		return ns, s.err(cerr)
	}
	return ns, err
}

// inside runs fn in a namespace: on this thread where it is there already, else on
// one that goes there and ends with its goroutine where it cannot be brought back.
func inside(ns netns.NsHandle, fn func() error) error {
	if now, err := netns.Get(); err == nil {
		same := now.Equal(ns)
		now.Close()
		if same {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			return fn()
		}
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		before, err := netns.Get()
		if err != nil {
			done <- err
			return
		}
		defer before.Close()
		if err := unix.Setns(int(ns), unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			done <- os.NewSyscallError("setns", err)
			return
		}
		err = fn()
		if unix.Setns(int(before), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// legacyTables reads both lists in the calling thread's namespace. A list that is
// not there is empty: the kernel has no legacy tables.
func legacyTables() (ip, ip6 []string, err error) {
	for _, l := range [...]struct {
		file  string
		names *[]string
	}{{"ip_tables_names", &ip}, {"ip6_tables_names", &ip6}} {
		text, err := os.ReadFile("/proc/thread-self/net/" + l.file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("legacy tables: %w", err)
		}
		*l.names = tableNames(text)
	}
	return ip, ip6, nil
}

// tableNames are the lines of such a list, each once.
func tableNames(text []byte) []string {
	var out []string
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if name := s.Text(); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
