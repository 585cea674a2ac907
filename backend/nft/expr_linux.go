package nft

import (
	"fmt"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/gatehouse-fw/gatehouse/rule/match"
)

// Expr takes an expression of github.com/google/nftables, the field's common
// vocabulary, into a rule. It is kept to the byte as that package writes it; one
// that Gatehouse knows reads back as what it means. The registers are the
// caller's to choose: a rule's own tests use register 1 and leave nothing in it.
func Expr(e expr.Any) (match.Raw, error) {
	var none match.Raw
	if e == nil {
		return none, fmt.Errorf("nft: nil expression")
	}
	b, err := expr.Marshal(unix.NFPROTO_INET, e)
	if err != nil {
		return none, fmt.Errorf("nft: %T: %w", e, err)
	}
	ad, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return none, fmt.Errorf("nft: %T: %w", e, err)
	}
	var out match.Raw
	for ad.Next() {
		switch ad.Type() {
		case unix.NFTA_EXPR_NAME:
			out.Expr = ad.String()
		case unix.NFTA_EXPR_DATA:
			out.Data = string(ad.Bytes())
		}
	}
	if err := ad.Err(); err != nil {
		return none, fmt.Errorf("nft: %T: %w", e, err)
	}
	return out, nil
}
