package sim

import (
	"context"

	"github.com/gatehouse-fw/gatehouse/backend"
)

// Open is nft.Open for this host: it makes the Firewall of an owner. Several of
// them on one host see each other's tables, and run into each other as two
// programs on a machine do. The errors are backend.New's, and the context's.
func (h *Host) Open(ctx context.Context, cfg backend.Config) (*backend.Firewall, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fw, err := backend.New(cfg, h.dial())
	if err == nil {
		_ = fw.Sweep(ctx) // what it cannot take away now a change will
	}
	return fw, err
}
