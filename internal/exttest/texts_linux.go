package exttest

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Host is a host with what the kernel must have before it takes the file's rules.
func (f File) Host(t testing.TB) *lab.Host {
	t.Helper()
	return f.host(t)
}

// Alike are the blocks whose rules iptables-nft, for one family, takes and
// programs as we do in the tables that we share with it.
func (f File) Alike(family nf.Family) (blocks []*Block) {
	j := judge{family: family, nft: true}
	for _, b := range f.Blocks {
		if !b.Refused() && !b.Differs && j.concerns(b) && j.takes(b) {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// RestoreText is the blocks' rules as iptables-restore reads them, with the chains
// that they are in and go to.
func RestoreText(blocks []*Block) string { return restoreText(blocks, true) }
