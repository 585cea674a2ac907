//go:build linux

package nft

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Every way to name a namespace leads into it, and no other.
func TestNamespaces(t *testing.T) {
	h := labtest.Host(t)
	mark := driver.Op{Kind: driver.AddTable, Table: &p.Table{Family: p.IP, Name: "here"}}
	if err := connect(t, h).Commit(t.Context(), driver.Batch{Ops: []driver.Op{mark}}); err != nil {
		t.Fatal(err)
	}
	before, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	var here Namespace
	if err := h.Do(func() error { here = Here(); return here.err }); err != nil {
		t.Fatal(err)
	}
	runtime.GC() // Here keeps what it found
	link := filepath.Join(t.TempDir(), "ns")
	if err := os.Symlink(h.Path(), link); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]Namespace{"fd": FD(h.FD()), "path": Path(h.Path()), "link": Path(link), "here": here} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // a Namespace can be used again
				k, err := dialKernel(t.Context(), n)
				if err != nil {
					t.Fatal(err)
				}
				defer k.Close()
				s, err := k.Read(t.Context(), driver.Scope{})
				if err != nil || len(s.Program.Tables) != 1 || s.Program.Tables[0].Name != "here" {
					t.Errorf("read %+v, %v", s, err)
				}
			}
		})
	}
	t.Run("in it", func(t *testing.T) {
		err := h.Do(func() error {
			var zero Namespace
			k, err := dialKernel(t.Context(), zero)
			if err != nil {
				return err
			}
			defer k.Close()
			s, err := k.Read(t.Context(), driver.Scope{})
			if err == nil && len(s.Program.Tables) != 1 {
				t.Errorf("read %+v", s)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	if now, err := netns.Get(); err != nil || !now.Equal(before) {
		t.Errorf("the thread is in %v now, was in %v, %v", now, before, err)
	}
}

// No thread that Go may run anything on is left in a namespace that was opened.
func TestThreadsStayWhereTheyAre(t *testing.T) {
	h := labtest.Host(t)
	for range 20 {
		connect(t, h)
	}
	own, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(tasks) == 0 {
		t.Fatal(tasks, err)
	}
	for _, task := range tasks {
		n, err := netns.GetFromPath(task)
		if err != nil {
			continue // the thread ended meanwhile
		}
		if !n.Equal(own) {
			t.Errorf("%s is in %v, the process in %v", task, n, own)
		}
		n.Close()
	}
}

func TestNoNamespace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		n    Namespace
		want error // nil: any
	}{
		"missing name":    {Name("gatehouse-no-such"), fs.ErrNotExist},
		"missing process": {PID(1 << 30), fs.ErrNotExist},
		"no name":         {Name(""), nil},
		"a path as name":  {Name("../run"), nil},
		"closed fd":       {FD(1 << 20), unix.EBADF},
		"another file":    {Path(file), nil},
		"other namespace": {Path("/proc/self/ns/uts"), nil},
	} {
		k, err := dialKernel(t.Context(), tc.n)
		if err == nil {
			k.Close()
			t.Errorf("%s: it could be opened", name)
		} else if tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// Programs that are started meanwhile do not inherit the sockets.
func TestCloseOnExec(t *testing.T) {
	k := connect(t, labtest.Host(t))
	for _, s := range []*socket{k.control, k.dumps, k.events} {
		err := s.raw.Control(func(fd uintptr) {
			if flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("flags %#x, %v", flags, err)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// Without the capability the error says which, and where.
func TestPermission(t *testing.T) {
	h := labtest.Host(t)
	var net, user string
	errs := map[string]error{}
	err := h.Do(func() error { // which keeps it to one thread
		net, _ = os.Readlink("/proc/thread-self/ns/net")
		user, _ = os.Readlink("/proc/thread-self/ns/user")
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var all, some [2]unix.CapUserData
		if err := unix.Capget(&hdr, &all[0]); err != nil {
			return err
		}
		k, err := dialKernel(t.Context(), Here())
		if err != nil {
			return err
		}
		defer k.Close()
		some = all
		some[0].Effective &^= 1 << unix.CAP_NET_ADMIN
		if err := unix.Capset(&hdr, &some[0]); err != nil {
			return err
		}
		defer unix.Capset(&hdr, &all[0])
		_, errs["dial"] = dialKernel(t.Context(), Here())
		_, errs["generation"] = k.Generation(t.Context())
		_, errs["read"] = k.Read(t.Context(), driver.Scope{})
		errs["commit"] = k.Commit(t.Context(), driver.Batch{Ops: []driver.Op{{Kind: driver.AddTable, Table: small}}})
		errs["probe"] = k.Probe(t.Context(), driver.XT{Family: p.IP, Name: "tcp"})
		errs["probe inet"] = k.Probe(t.Context(), driver.XT{Family: p.Inet, Name: "comment"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range errs {
		var e *permissionError
		if !errors.Is(err, fs.ErrPermission) || !errors.Is(err, unix.EPERM) || !errors.As(err, &e) {
			t.Errorf("%s: %v, want a *permissionError", name, err)
		} else if e.net != net || e.user != user {
			t.Errorf("%s: %v\nin %s, %s", name, err, net, user)
		}
	}
}
