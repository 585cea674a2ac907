package nft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
)

// Open connects to the network namespace of the calling thread. Errors are
// *backend.Error: backend.ErrInvalid for a configuration that cannot be meant,
// backend.ErrUnsupported where there is no nf_tables, fs.ErrPermission without
// the capability, which the error names together with the namespace.
func Open(ctx context.Context, cfg backend.Config) (*backend.Firewall, error) {
	return OpenIn(ctx, Namespace{}, cfg)
}

// OpenIn connects to another network namespace, and takes away what processes of
// the owner left there that died in the middle of a change. The errors are those of Open,
// and fs.ErrNotExist for a namespace that is not there.
func OpenIn(ctx context.Context, ns Namespace, cfg backend.Config) (*backend.Firewall, error) {
	drv, err := dial(ctx, ns)
	if err != nil {
		return nil, openError(err)
	}
	fw, err := backend.New(cfg, drv)
	if err != nil {
		return nil, errors.Join(err, drv.Close())
	}
	_ = fw.Sweep(ctx) // what it cannot take away now a change will
	return fw, nil
}

// openError gives an error of connecting its public identity.
func openError(err error) error {
	e := &backend.Error{Op: "open", Err: err}
	var hinted interface{ Hint() string }
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, driver.ErrUnsupported):
		e.Err = fmt.Errorf("%w: %w", backend.ErrUnsupported, err)
	case errors.As(err, &hinted):
		e.Hint = hinted.Hint()
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "entering a network namespace needs CAP_SYS_ADMIN there"
	}
	return e
}
