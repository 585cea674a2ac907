//go:build !linux

package nft

import (
	"context"
	"fmt"
	"runtime"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
)

// dial says that only Linux has nf_tables.
func dial(context.Context, Namespace) (driver.Driver, error) {
	return nil, fmt.Errorf("nf_tables on %s: %w", runtime.GOOS, driver.ErrUnsupported)
}
