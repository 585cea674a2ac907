package sim

import (
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/driver/drivertest"
)

func TestConformance(t *testing.T) {
	drivertest.Run(t, func(*testing.T) driver.Driver { return New(Config{}).dial() }, func(d driver.Driver, passes time.Duration) {
		d.(*conn).host.Advance(passes)
	})
}
