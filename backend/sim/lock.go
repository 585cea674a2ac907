package sim

import (
	"context"
	"sync"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Lock makes a table that nobody else can change. Nothing on the host ends as a
// process does, so it is there until it is unlocked.
func (c *conn) Lock(ctx context.Context, t *program.Table) (unlock func() error, err error) {
	if err := c.usable(ctx); err != nil {
		return nil, err
	}
	named := &program.Table{Family: t.Family, Name: t.Name}
	made := *named
	made.UserData, made.Flags = t.UserData, program.TableOwned
	if err := c.host.lock(driver.Op{Kind: driver.AddTable, Table: &made}); err != nil {
		return nil, err
	}
	return sync.OnceValue(func() error {
		_ = c.host.lock(driver.Op{Kind: driver.DeleteTable, Table: named}) // gone either way
		return nil
	}), nil
}

// lock does an operation as the owner of its table. To all connections it is
// somebody else's.
func (h *Host) lock(op driver.Op) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.state.begin()
	x.owner = op.Kind == driver.DeleteTable
	if r := x.do(op); r != nil {
		return &driver.CommitError{Failures: []driver.Failure{r.failure(0)}}
	}
	next := x.end(h.state)
	h.tell(nil, h.state, next)
	h.state = next
	return nil
}
