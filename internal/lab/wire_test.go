//go:build linux

package lab_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// Two networks and a router between them.
func TestRouter(t *testing.T) {
	l := labtest.New(t)
	in, router, out := l.Host("in"), l.Host("router"), l.Host("out")
	l.Wire(in.End("eth0", "10.0.1.2/24", "fd00:1::2/64"), router.End("eth0", "10.0.1.1/24", "fd00:1::1/64"))
	l.Wire(out.End("eth0", "10.0.2.2/24", "fd00:2::2/64"), router.End("eth1", "10.0.2.1/24", "fd00:2::1/64"))
	for _, r := range []struct {
		h       *lab.Host
		to, via string
	}{
		{in, "0.0.0.0/0", "10.0.1.1"},
		{in, "::/0", "fd00:1::1"},
		{out, "10.0.1.0/24", "10.0.2.1"},
		{out, "fd00:1::/64", "fd00:2::1"},
	} {
		if err := r.h.Route(r.to, r.via); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []string{"10.0.2.2", "fd00:2::2"} {
		if err := in.Ping(soon(t), netip.MustParseAddr(to)); err == nil {
			t.Errorf("ping %s passes a host that does not forward", to)
		}
	}
	if err := router.Forward(); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"10.0.2.2", "fd00:2::2"} {
		if err := in.Ping(soon(t), netip.MustParseAddr(to)); err != nil {
			t.Error(err)
		}
		s, err := out.Echo("tcp", port(to, 80))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Ask(soon(t), "tcp", s.Addr(), "hello"); err != nil {
			t.Error(err)
		}
		for _, p := range s.Peers() {
			if a := p.Addr().String(); a != "10.0.1.2" && a != "fd00:1::2" {
				t.Errorf("%s is asked by %s", to, a)
			}
		}
	}
}

// A new cable is quiet, and introduced hosts need neither ARP nor NDP.
func TestQuiet(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	c, err := host.Capture("eth0")
	if err != nil {
		t.Fatal(err)
	}
	// A router solicitation would come after a second.
	if got := collect(t, c, 0, 1300*time.Millisecond); len(got) != 0 {
		t.Errorf("noise: %d packets, the first %x", len(got), got[0].Frame)
	}
	for _, to := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		if err := peer.Ping(soon(t), netip.MustParseAddr(to)); err != nil {
			t.Error(err)
		}
	}
	if got := collect(t, c, 0, 200*time.Millisecond); len(got) != 4 {
		t.Errorf("%d packets for two pings, want 4", len(got))
	}
}

func TestDevices(t *testing.T) {
	l := labtest.New(t)
	h := l.Host("host")
	if err := h.Dummy("lo1", "127.0.7.7/32", "fd07::7/128"); err != nil {
		t.Fatal(err)
	}
	if err := h.Address("lo1", "127.0.7.8/32"); err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"127.0.0.1", "127.0.7.7", "127.0.7.8", "::1", "fd07::7"} {
		if err := h.Ping(soon(t), netip.MustParseAddr(a)); err != nil {
			t.Error(err)
		}
	}
	e := h.End("eth0", "10.0.0.1/24")
	e.MAC = "02:00:00:00:00:07"
	l.Wire(e, l.Host("other").End("a.b", "10.0.0.2/24"))
	if mac, err := h.MAC("eth0"); err != nil || mac.String() != e.MAC {
		t.Errorf("MAC %v, %v", mac, err)
	}
}

func TestWireErrors(t *testing.T) {
	l := labtest.New(t)
	a, b := l.Host("a"), l.Host("b")
	bad := a.End("eth0")
	bad.MAC = "02:xx"
	for name, e := range map[string]lab.End{
		"no host":  {},
		"name":     a.End("a-name-that-is-too-long"),
		"address":  a.End("eth7", "10.0.0.1"),
		"MAC":      bad,
		"name lo":  a.End("lo"),
		"no name":  a.End(""),
		"a family": a.End("eth8", "10.0.0.1/99"),
	} {
		if err := l.Lab.Wire(e, b.End("x"+name[:2])); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := a.Route("10.0.0.0/8", "not an address"); err == nil {
		t.Error("a route to nowhere")
	}
	if err := a.Sysctl("net.ipv4.no_such_key", "1"); err == nil {
		t.Error("a key that is not there")
	}
}
