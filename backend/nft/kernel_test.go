//go:build linux

package nft

import (
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/driver/drivertest"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// connect connects to a host.
func connect(t testing.TB, h *lab.Host) *kernel {
	t.Helper()
	k, err := dialKernel(t.Context(), FD(h.FD()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func TestDriver(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) driver.Driver { return connect(t, labtest.Host(t)) }, func(_ driver.Driver, passes time.Duration) {
		time.Sleep(passes)
	})
}
