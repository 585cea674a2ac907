package sim

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/delta/deltatest"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
)

func TestChanges(t *testing.T) {
	deltatest.Run(t, func() driver.Driver { return New(Config{}).dial() })
}
