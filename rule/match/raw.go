package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/opaque"
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Raw is one nf_tables expression as the kernel's netlink attributes spell it. It is
// how unknown expressions survive, and how a caller adds one on purpose. As text
// it is "-m nft --expr name:hex", which the real iptables refuses, so that a
// saved rule never loads there with a part of it missing.
type Raw struct {
	Expr string // "fib", "queue", …; empty is an error
	Data string // NFTA_EXPR_DATA, byte for byte
}

// Name is "nft".
func (Raw) Name() string { return raw.Name }

func (Raw) ext() option.Extension { return raw }

var raw = opaque.Raw[Raw]("nft", nil)

// Compile adds the expression as it is. One that was read from a kernel and has no
// bytes of its own cannot be programmed again.
func (r Raw) Compile(c *program.Code) error {
	if err := opaque.Said(raw.Name, r.Expr); err != nil {
		return err
	}
	c.Add(program.Raw{Name: r.Expr, Data: r.Data})
	return nil
}
