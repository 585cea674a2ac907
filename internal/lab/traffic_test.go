//go:build linux

package lab_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// port is an address and port that the test wrote itself.
func port(addr string, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(addr), port)
}

// soon bounds what a test waits for.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestConnect(t *testing.T) {
	host, peer := labtest.Pair(t)
	for _, addr := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		for _, network := range []string{"tcp", "udp"} {
			s, err := host.Echo(network, port(addr, 25))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Addr(); got != port(addr, 25) {
				t.Errorf("echo at %v", got)
			}
			state, err := peer.Connect(soon(t), network, port(addr, 25))
			if err != nil || state != lab.Open {
				t.Errorf("%s to %s port 25: %v, %v; want open", network, addr, state, err)
			}
			state, err = peer.Connect(soon(t), network, port(addr, 26))
			if err != nil || state != lab.Closed {
				t.Errorf("%s to %s port 26: %v, %v; want closed", network, addr, state, err)
			}
			reply, err := peer.Ask(soon(t), network, port(addr, 25), "hello")
			if err != nil || reply != "hello" {
				t.Errorf("ask %s %s: %q, %v", network, addr, reply, err)
			}
			if n := len(s.Peers()); n != 2 {
				t.Errorf("%s %s: peers %v, want 2 of them", network, addr, s.Peers())
			}
		}
		if err := peer.Ping(soon(t), netip.MustParseAddr(addr)); err != nil {
			t.Error(err)
		}
	}
}

// collect returns what a capture has within a time, n packets at most.
func collect(t *testing.T, c *lab.Capture, n int, within time.Duration) []lab.Packet {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	got, err := c.Collect(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
