//go:build linux

package labtest_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

func TestPair(t *testing.T) {
	host, peer := labtest.Pair(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, a := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		if err := peer.Ping(ctx, netip.MustParseAddr(a)); err != nil {
			t.Error(err)
		}
	}
	for _, a := range []string{labtest.PeerIPv4, labtest.PeerIPv6} {
		if err := host.Ping(ctx, netip.MustParseAddr(a)); err != nil {
			t.Error(err)
		}
	}
	if mac, err := host.MAC("eth0"); err != nil || mac.String() != labtest.HostMAC {
		t.Errorf("host's MAC %v, %v", mac, err)
	}
	if mac, err := peer.MAC("eth0"); err != nil || mac.String() != labtest.PeerMAC {
		t.Errorf("peer's MAC %v, %v", mac, err)
	}
}

// A test's lab is closed when the test ends.
func TestCleanup(t *testing.T) {
	var fd func() int
	t.Run("inner", func(t *testing.T) {
		h := labtest.Host(t)
		if fd = h.FD; fd() < 0 {
			t.Error("no namespace")
		}
	})
	if fd != nil && fd() != -1 {
		t.Error("the host outlives its test")
	}
}
