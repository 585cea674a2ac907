//go:build linux

package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Host is a throwaway host: one network namespace. Its methods may be called
// from any goroutine. See Lab.Host.
type Host struct {
	lab  *Lab
	name string
	link *netlink.Handle // rtnetlink socket inside the namespace

	mu sync.RWMutex // guards ns against use after close
	ns netns.NsHandle
}

// Host makes a host with its loopback up. The name is for messages only.
func (l *Lab) Host(name string) (*Host, error) {
	ns, err := newNamespace()
	if err != nil {
		return nil, err
	}
	h := &Host{lab: l, name: name, ns: ns}
	if err := h.setUp(); err != nil {
		_ = h.close()
		return nil, h.wrap(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = h.close()
		return nil, h.wrap(ErrClosed)
	}
	l.hosts = append(l.hosts, h)
	return h, nil
}

// setUp makes a bare namespace a quiet host.
func (h *Host) setUp() error {
	err := h.Do(func() error {
		var err error
		h.link, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range quiet {
		if err := h.Sysctl(s.key, s.value); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	lo, err := h.link.LinkByName("lo")
	if err != nil {
		return err
	}
	return h.link.LinkSetUp(lo)
}

// quiet is what a new host is set to. A key that the kernel lacks (a kernel
// without IPv6, say) is left out.
var quiet = []struct{ key, value string }{
	{"net.ipv4.conf.all.rp_filter", "0"},
	{"net.ipv4.conf.default.rp_filter", "0"},
	{"net.ipv4.icmp_ratemask", "0"}, // no type is limited
	{"net.ipv6.icmp.ratemask", ""},
	{"net.ipv6.conf.all.disable_ipv6", "0"},
	{"net.ipv6.conf.default.disable_ipv6", "0"},
	{"net.ipv6.conf.default.accept_dad", "0"},
	{"net.ipv6.conf.default.accept_ra", "0"},                         // and no solicitations then
	{"net.ipv6.conf.default.mldv1_unsolicited_report_interval", "1"}, // milliseconds
	{"net.ipv6.conf.default.mldv2_unsolicited_report_interval", "1"},
}

// Name is the name that the host was made with.
func (h *Host) Name() string { return h.name }

// FD is the descriptor of the host's network namespace, for setns. It belongs
// to the host and is valid until the lab is closed; then it is -1.
func (h *Host) FD() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return int(h.ns)
}

// Path names the host's network namespace in /proc. Any process of the same
// user can open it until the lab is closed.
func (h *Host) Path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.FD())
}

// Do calls fn on a locked OS thread inside the host's network namespace and
// returns its error. Sockets that fn opens belong to the host and may be used
// from any goroutine afterwards. What fn starts with a go statement runs
// outside, unless it calls Do itself. fn may block; each Do has its own
// thread. t.FailNow and its kind must not be called inside fn.
func (h *Host) Do(fn func() error) error {
	return onThread(func() error {
		h.mu.RLock()
		if !h.ns.IsOpen() {
			h.mu.RUnlock()
			return h.wrap(ErrClosed)
		}
		err := netns.Set(h.ns)
		h.mu.RUnlock()
		if err != nil {
			return h.wrap(err)
		}
		return fn()
	})
}

// Sysctl writes a setting of the host's namespace, such as
// "net.ipv4.ip_forward". Dots part the key as sysctl(8) has it; a device name
// with a dot is written with a slash in its place.
func (h *Host) Sysctl(key, value string) error {
	path := "/proc/sys/" + strings.NewReplacer(".", "/", "/", ".").Replace(key)
	err := h.Do(func() error {
		// Not os.WriteFile: O_CREATE and O_TRUNC mean nothing here.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(value + "\n")
		return errors.Join(err, f.Close())
	})
	if err != nil {
		return fmt.Errorf("lab: host %s: sysctl %s=%s: %w", h.name, key, value, err)
	}
	return nil
}

// Forward makes the host a router for IPv4 and, where the kernel has it, IPv6.
func (h *Host) Forward() error {
	if err := h.Sysctl("net.ipv4.ip_forward", "1"); err != nil {
		return err
	}
	err := h.Sysctl("net.ipv6.conf.all.forwarding", "1")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// close releases the namespace.
func (h *Host) close() error {
	if h.link != nil {
		h.link.Close()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ns.IsOpen() {
		return nil
	}
	return h.ns.Close()
}

// wrap says which host an error is about.
func (h *Host) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("lab: host %s: %w", h.name, err)
}
