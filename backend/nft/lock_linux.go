package nft

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"golang.org/x/sys/unix"
)

// unlockTime bounds how long taking a lock's table away may take; closing the
// socket does it too.
const unlockTime = 5 * time.Second

// Lock makes a table on a socket of its own: the kernel lets nobody else change it
// (NFT_TABLE_F_OWNER, Linux 5.12) and takes it away with the socket, kill -9 included.
func (k *kernel) Lock(ctx context.Context, t *program.Table) (unlock func() error, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := k.socket()
	if err != nil {
		return nil, k.explain(err)
	}
	own := &kernel{control: s, net: k.net, user: k.user, maxBatch: k.maxBatch}
	named := &program.Table{Family: t.Family, Name: t.Name}
	made := *named
	made.UserData, made.Flags = t.UserData, program.TableOwned
	if err := own.Commit(ctx, driver.Batch{Ops: []driver.Op{{Kind: driver.AddTable, Table: &made}}}); err != nil {
		return nil, errors.Join(unlockable(err), s.close())
	}
	// The kernel waits for all readers when it cleans up after a socket. It does not
	// when the table is deleted.
	return sync.OnceValue(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), unlockTime)
		defer cancel()
		err := own.Commit(ctx, driver.Batch{Ops: []driver.Op{{Kind: driver.DeleteTable, Table: named}}})
		if cerr := s.close(); cerr != nil {
			return errors.Join(err, cerr)
		}
		return nil // gone either way
	}), nil
}

// unlockable says that it is the kernel which knows no owners of tables.
func unlockable(err error) error {
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("a table with an owner: %w: %w", driver.ErrUnsupported, err)
	}
	return err
}
