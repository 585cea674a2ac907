//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// threads are the network namespaces of this process' threads, with how many
// threads are in each.
func threads(t *testing.T) map[string]int {
	t.Helper()
	paths, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(paths) == 0 {
		t.Fatalf("threads: %v, %v", paths, err)
	}
	in := make(map[string]int)
	for _, p := range paths {
		if ns, err := os.Readlink(p); err == nil { // else the thread has ended
			in[ns]++
		}
	}
	return in
}

// aloneIn fails the test unless all threads come to be in one namespace.
func aloneIn(t *testing.T, own string) {
	t.Helper()
	var in map[string]int
	for range 200 {
		if in = threads(t); len(in) == 1 && in[own] > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("threads in %v, want all in %s", in, own)
}

func ownNamespace(t *testing.T) string {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func needPrivilege(t *testing.T) {
	t.Helper()
	if err := Privileged(); err != nil {
		if errors.Is(err, ErrNoPrivilege) && os.Getenv("GATEHOUSE_REQUIRE") != "all" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
}

func TestThreadGoesBack(t *testing.T) {
	needPrivilege(t)
	own := ownNamespace(t)
	for range 50 {
		err := onThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) })
		if err != nil {
			t.Fatal(err)
		}
	}
	aloneIn(t, own)
}

// A thread that lost the right to go back is ended, not used again.
func TestThreadThatCantGoBack(t *testing.T) {
	needPrivilege(t)
	own := ownNamespace(t)
	for range 5 {
		lost := 0
		err := onThread(func() error {
			lost = unix.Gettid()
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				return err
			}
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			var none [2]unix.CapUserData // of this thread alone
			return unix.Capset(&header, &none[0])
		})
		if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "back to own") {
			t.Errorf("got %v, want EPERM on the way back", err)
		}
		if lost == os.Getpid() {
			t.Error("ran on the main thread")
		}
		aloneIn(t, own)
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", lost)); err == nil {
			t.Errorf("thread %d is still there", lost)
		}
	}
}

func TestFunctionThatLeaves(t *testing.T) {
	own := ownNamespace(t)
	if err := onThread(func() error { runtime.Goexit(); return nil }); !errors.Is(err, errLeft) {
		t.Errorf("got %v", err)
	}
	aloneIn(t, own)
}
