package nft

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"golang.org/x/sys/unix"
)

// Commit sends one batch. The context is looked at until it is sent; after
// that the kernel cannot be stopped, and does not take long.
func (k *kernel) Commit(ctx context.Context, b driver.Batch) error {
	if err := k.control.take(ctx); err != nil {
		return err
	}
	defer k.control.release()
	if err := k.control.settle(ctx); err != nil {
		return err
	}
	b, err := k.withIPSets(ctx, b)
	if err != nil {
		return err
	}
	batch, err := k.encode(ctx, b)
	if err != nil {
		var op *wire.OpError
		if errors.As(err, &op) {
			return &driver.CommitError{Failures: []driver.Failure{{Op: op.Op, Err: op.Err, Expr: -1}}}
		}
		return err
	}
	if n := len(batch.Bytes()); n > k.maxBatch {
		return &driver.TooLargeError{Size: n, Max: k.maxBatch}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	bytes := batch.Bytes()
	if b.Trial {
		bytes = batch.Trial()
	}
	if err := k.control.send(bytes); err != nil {
		return k.unsent(err, len(batch.Bytes()))
	}
	failures, lost, err := k.answers(batch, b.Trial)
	switch {
	case len(failures) > 0:
		return k.refused(failures)
	case err != nil:
		return fmt.Errorf("%w: %w", driver.ErrUncertain, err)
	case lost:
		return k.uncertain(ctx, b.Generation)
	}
	return nil
}

// encode writes the batch. Sets that it only names are looked up first: what a
// set is never changes.
func (k *kernel) encode(ctx context.Context, b driver.Batch) (*wire.Batch, error) {
	batch, err := wire.Encode(b, k.control.next(0), func(t *program.Table, name string) (found *program.Set) {
		_ = k.control.ask(ctx, func(seq uint32) []byte {
			return wire.AskSet(seq, t.Family, t.Name, name)
		}, func(m wire.Message) (err error) {
			_, found, _, err = wire.DecodeSet(m)
			return err
		}) // a set that is not there is the commit's to report
		return found
	})
	if err != nil {
		return nil, err
	}
	k.control.seq = max(k.control.seq, batch.Last())
	return batch, nil
}

// unsent is the error of a batch that the kernel did not take.
func (k *kernel) unsent(err error, size int) error {
	if errors.Is(err, unix.EMSGSIZE) {
		return &driver.TooLargeError{Size: size, Max: k.maxBatch}
	}
	return k.explain(err)
}

// answers collects what the kernel said about a batch: the failures, in the
// order of the operations, and whether answers were lost. Kernels before 6.10 say
// nothing at all of success; one that did once does it always, but for a trial,
// which has no end.
func (k *kernel) answers(batch *wire.Batch, trial bool) (failures []driver.Failure, lost bool, err error) {
	said := false
	for {
		b, err := k.control.poll()
		switch {
		case errors.Is(err, unix.EAGAIN):
			lost = lost || k.says && !said && !trial
			k.says = k.says || said
			return failures, lost, nil
		case errors.Is(err, unix.ENOBUFS):
			lost = true
			continue
		case err != nil:
			return failures, lost, err
		}
		for {
			m, rest, ok, err := wire.Next(b)
			if err != nil {
				return failures, lost, err
			}
			if !ok {
				break
			}
			b = rest
			if m.Type != wire.TypeError {
				continue
			}
			if m.Errno() == 0 {
				said = said || m.Seq == batch.Last()
				continue
			}
			if f, ok := batch.Failure(m); ok {
				failures = append(failures, f)
			}
		}
	}
}

// refused is the error of a batch that the kernel did not commit. What it says
// about the message that begins the batch is about all of it.
func (k *kernel) refused(failures []driver.Failure) error {
	if f := failures[0]; f.Op < 0 {
		switch {
		case errors.Is(f.Err, unix.ERESTART):
			return driver.ErrConflict
		case errors.Is(f.Err, unix.EPERM):
			return k.explain(f.Err)
		case errors.Is(f.Err, unix.EOPNOTSUPP):
			return fmt.Errorf("nf_tables: %w: %w", driver.ErrUnsupported, f.Err)
		}
	}
	return &driver.CommitError{Failures: failures}
}

// uncertain is the error of a batch whose answers were lost. It was not
// committed if the generation is the one that it was made for; else there is
// no telling.
func (k *kernel) uncertain(ctx context.Context, before uint32) error {
	if before != 0 {
		if now, err := k.generation(ctx, k.control); err == nil && now == before {
			return &driver.CommitError{Failures: []driver.Failure{{Op: -1, Err: unix.ENOBUFS, Expr: -1}}}
		}
	}
	return fmt.Errorf("%w: %w", driver.ErrUncertain, unix.ENOBUFS)
}
