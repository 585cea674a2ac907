//go:build linux

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// files are the descriptors that this process has open.
func files(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	open := make(map[string]string)
	for _, p := range paths {
		to, err := os.Readlink(p)
		// Those of the runtime's own come when they like.
		if err == nil && !strings.Contains(to, "eventpoll") && !strings.Contains(to, "eventfd") {
			open[p] = to
		}
	}
	return open
}

// leftOpen fails the test if descriptors are open that were not before.
func leftOpen(t *testing.T, before map[string]string) {
	t.Helper()
	var left []string
	for range 100 {
		// The pipes with which io.Copy splices are the garbage collector's.
		runtime.GC()
		left = nil
		for fd, to := range files(t) {
			if before[fd] != to {
				left = append(left, fd+" "+to)
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("left open: %v", left)
}

// Nothing outlives Close: no descriptor, no goroutine, no process.
func TestCloseLeavesNothing(t *testing.T) {
	labtest.New(t) // probes
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	devices, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	before, goroutines := files(t), runtime.NumGoroutine()

	pid := useAll(t)

	gone(t, fmt.Sprint(pid))
	leftOpen(t, before)
	for range 100 {
		if runtime.NumGoroutine() <= goroutines {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines, were %d\n%s", n, goroutines, buf[:runtime.Stack(buf, true)])
	}
	now, err := os.Readlink("/proc/self/ns/net")
	if err != nil || now != own {
		t.Errorf("own namespace is %s, was %s, %v", now, own, err)
	}
	still, err := net.Interfaces()
	if err != nil || len(still) != len(devices) {
		t.Errorf("own devices are %v, were %v, %v", still, devices, err)
	}
}

// useAll makes a lab, leaves something of every kind running in it and closes
// it. It returns the ID of the process that ran.
func useAll(t *testing.T) int {
	ctx := soon(t)
	l, err := lab.New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var hosts []*lab.Host
	for _, name := range []string{"a", "b"} {
		h, err := l.Host(name)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	a, b := hosts[0], hosts[1]
	_, errEcho := a.Echo("tcp", port("10.0.0.1", 7))
	if errEcho == nil {
		t.Error("echo at an address that is not there yet")
	}
	errs := []error{l.Wire(a.End("eth0", "10.0.0.1/24"), b.End("eth0", "10.0.0.2/24"))}
	_, err = a.Echo("tcp", port("10.0.0.1", 7))
	errs = append(errs, err)
	_, err = a.Echo("udp", port("10.0.0.1", 7))
	errs = append(errs, err)
	_, err = b.Dial(ctx, "tcp", port("10.0.0.2", 1234), port("10.0.0.1", 7))
	errs = append(errs, err)
	_, err = b.Capture("eth0")
	errs = append(errs, err)
	p, err := b.Start(exec.Command("sleep", "60"))
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("Close took %v: did it wait for the program to end by itself?", d)
	}
	if err := l.Close(); err != nil {
		t.Error("closed twice:", err)
	}
	return p.PID()
}

func TestContextClosesLab(t *testing.T) {
	labtest.New(t) // probes
	ctx, cancel := context.WithCancel(context.Background())
	l, err := lab.New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h, err := l.Host("host")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for range 500 {
		if h.FD() == -1 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := h.Do(func() error { return nil }); !errors.Is(err, lab.ErrClosed) {
		t.Errorf("Do: %v, want ErrClosed", err)
	}
	if _, err := l.Host("late"); !errors.Is(err, lab.ErrClosed) {
		t.Errorf("Host: %v, want ErrClosed", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := lab.New(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("New: %v, want Canceled", err)
	}
}

func TestHostsAreApart(t *testing.T) {
	l := labtest.New(t)
	var wg sync.WaitGroup
	seen := make([]string, 8)
	for i := range seen {
		h := l.Host(fmt.Sprint("h", i))
		wg.Go(func() {
			errs := []error{h.Sysctl("net.ipv4.ip_default_ttl", fmt.Sprint(100+i))}
			errs = append(errs, h.Do(func() error {
				ns, err := os.Readlink("/proc/thread-self/ns/net")
				seen[i] = ns
				return err
			}))
			byPath, err := os.Stat(h.Path())
			errs = append(errs, err)
			r, err := h.Run(soon(t), "", "cat", "/proc/sys/net/ipv4/ip_default_ttl")
			errs = append(errs, err)
			if err := errors.Join(errs...); err != nil {
				t.Error(err)
				return
			}
			if want := fmt.Sprintln(100 + i); r.Stdout != want {
				t.Errorf("host %d: TTL %q, want %q", i, r.Stdout, want)
			}
			if s := fmt.Sprint(byPath.Mode()); !strings.Contains(s, "r--r--r--") {
				t.Errorf("%s is %s", h.Path(), s)
			}
		})
	}
	wg.Wait()
	for i := range seen {
		for j := range i {
			if seen[i] == seen[j] {
				t.Errorf("hosts %d and %d share %s", i, j, seen[i])
			}
		}
	}
}

func TestRun(t *testing.T) {
	h := labtest.Host(t)
	r, err := h.RunEnv(soon(t), []string{"A=b"}, "in", "sh", "-c", `cat; echo $A >&2; exit 3`)
	if want := (lab.Result{Stdout: "in", Stderr: "b\n", Exit: 3}); err != nil || r != want {
		t.Errorf("got %+v, %v; want %+v", r, err, want)
	}
	if _, err := h.Run(soon(t), "", "no-such-program"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("missing program: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := h.Run(ctx, "", "sh", "-c", "sleep 20 & wait"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow program: %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("the slow program took %v", d)
	}
}
