package nft

import (
	"context"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"golang.org/x/sys/unix"
)

// Elements dumps a set into each, one answer of the kernel at a time. It has a
// socket of its own, so that each may use the driver meanwhile.
func (k *kernel) Elements(ctx context.Context, t *program.Table, name string, each func(*program.Set, []program.Element) error) error {
	s, release, err := k.walker(ctx)
	if err != nil {
		return err
	}
	defer release()
	var set *program.Set
	err = s.ask(ctx, func(seq uint32) []byte {
		return wire.AskSet(seq, t.Family, t.Name, name)
	}, func(m wire.Message) (err error) {
		_, set, _, err = wire.DecodeSet(m)
		return err
	})
	if err == nil && set == nil {
		err = unix.ENOENT
	}
	if err != nil {
		return fmt.Errorf("set %s: %w", name, k.explain(err))
	}
	return k.explain(s.ask(ctx, func(seq uint32) []byte {
		return wire.DumpElements(seq, t.Family, t.Name, name)
	}, func(m wire.Message) error {
		es, err := wire.DecodeElements(m, set)
		if err != nil {
			return err
		}
		return each(set, es)
	}))
}

// walker is a socket for Elements: the driver's own, or, where a loop over another
// set holds that, a new one.
func (k *kernel) walker(ctx context.Context) (s *socket, release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	select {
	case k.walk.turn <- struct{}{}:
		if err := k.walk.err(nil); err != nil {
			k.walk.release()
			return nil, nil, err
		}
		return k.walk, k.walk.release, nil
	default:
	}
	s, err = k.socket()
	if err != nil {
		return nil, nil, k.explain(err)
	}
	return s, func() { _ = s.close() }, nil
}
