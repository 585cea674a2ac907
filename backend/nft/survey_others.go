//go:build !linux

package nft

import (
	"context"
)

// survey says that only Linux has nf_tables.
func survey(ctx context.Context, ns Namespace) (Report, error) {
	_, err := dial(ctx, ns)
	return Report{}, openError(err)
}
