package nft

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/delta/deltatest"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// TestChanges: changes keep their word on the kernel.
func TestChanges(t *testing.T) {
	k := connect(t, labtest.Host(t))
	deltatest.Run(t, func() driver.Driver {
		s, err := k.Read(t.Context(), driver.Scope{Bare: true})
		if err != nil {
			t.Fatal(err)
		}
		var ops []driver.Op
		for _, table := range s.Program.Tables {
			ops = append(ops, driver.Op{Kind: driver.DeleteTable, Table: table})
		}
		if err := k.Commit(t.Context(), driver.Batch{Ops: ops}); err != nil {
			t.Fatal(err)
		}
		return open{k}
	})
}

// open is a driver that stays open.
type open struct{ *kernel }

// Close does nothing: the test's end closes it.
func (open) Close() error { return nil }
