//go:build linux

package labtest

import (
	"context"
	"errors"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// Lab is a lab.Lab whose every failure ends the test.
type Lab struct {
	*lab.Lab
	t testing.TB
}

// New makes a lab that is closed when the test ends. The test is skipped, or
// fails (see Require), if this process may not make namespaces.
func New(t testing.TB) *Lab {
	t.Helper()
	l, err := lab.New(context.Background())
	if errors.Is(err, lab.ErrNoPrivilege) {
		Require(t, "network namespaces", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close the lab: %v", err)
		}
	})
	return &Lab{Lab: l, t: t}
}

// Host is lab.Lab.Host.
func (l *Lab) Host(name string) *lab.Host {
	l.t.Helper()
	h, err := l.Lab.Host(name)
	if err != nil {
		l.t.Fatal(err)
	}
	return h
}

// Wire is lab.Lab.Wire.
func (l *Lab) Wire(a, b lab.End) {
	l.t.Helper()
	if err := l.Lab.Wire(a, b); err != nil {
		l.t.Fatal(err)
	}
}

// The addresses and hardware addresses of Pair's hosts.
const (
	HostIPv4 = "192.168.1.101"
	HostIPv6 = "fd00:1::101"
	HostMAC  = "02:00:00:00:01:01"
	PeerIPv4 = "192.168.1.102"
	PeerIPv6 = "fd00:1::102"
	PeerMAC  = "02:00:00:00:01:02"
)

// Host is one host alone, with nothing but its loopback, in a lab of its own.
func Host(t testing.TB) *lab.Host {
	t.Helper()
	return New(t).Host("host")
}

// Pair is a host and a peer on one cable, eth0 to eth0, in a lab of their own:
// HostIPv4/24 and HostIPv6/64 on one side, PeerIPv4/24 and PeerIPv6/64 on the
// other.
func Pair(t testing.TB) (host, peer *lab.Host) {
	t.Helper()
	_, a, b := pair(t)
	return a.Host, b.Host
}

// QuietPair is a Pair whose hosts were introduced (see lab.Lab.Introduce): only
// the test's own packets pass between them.
func QuietPair(t testing.TB) (host, peer *lab.Host) {
	t.Helper()
	l, a, b := pair(t)
	if err := l.Introduce(a, b); err != nil {
		t.Fatal(err)
	}
	return a.Host, b.Host
}

func pair(t testing.TB) (l *Lab, a, b lab.End) {
	t.Helper()
	l = New(t)
	a = l.Host("host").End("eth0", HostIPv4+"/24", HostIPv6+"/64")
	b = l.Host("peer").End("eth0", PeerIPv4+"/24", PeerIPv6+"/64")
	a.MAC, b.MAC = HostMAC, PeerMAC
	l.Wire(a, b)
	return l, a, b
}
