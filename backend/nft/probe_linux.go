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

// Probe asks the kernel for an xt extension, once. For inet tables, about which
// it answers no question, it is shown a rule in a batch that does not end.
func (k *kernel) Probe(ctx context.Context, x driver.XT) error {
	k.mu.Lock()
	err, known := k.probed[x]
	k.mu.Unlock()
	if known {
		return err
	}
	if err := k.control.take(ctx); err != nil {
		return err
	}
	defer k.control.release()
	if x.Family == program.Inet {
		err = k.tryXT(ctx, x)
	} else {
		err = k.askXT(ctx, x)
	}
	if err != nil && !errors.Is(err, driver.ErrUnsupported) {
		return k.explain(err)
	}
	k.mu.Lock()
	k.probed[x] = err
	k.mu.Unlock()
	return err
}

func (k *kernel) askXT(ctx context.Context, x driver.XT) error {
	err := k.control.ask(ctx, func(seq uint32) []byte {
		return wire.AskXT(seq, x.Family, x.Name, x.Rev, x.Target)
	}, func(wire.Message) error { return nil })
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EPROTONOSUPPORT), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
		return missing(x, err)
	}
	return err
}

// tryXT makes a rule with the extension in a table that is not committed. The
// kernel looks for the extension before it looks at anything else.
func (k *kernel) tryXT(ctx context.Context, x driver.XT) error {
	if err := k.control.settle(ctx); err != nil {
		return err
	}
	t := &program.Table{Family: x.Family, Name: "gatehouse-probe"}
	c := &program.Chain{Name: "probe"}
	e := program.Expr(program.XTMatch{Name: x.Name, Rev: x.Rev})
	if x.Target {
		e = program.XTTarget{Name: x.Name, Rev: x.Rev}
	}
	batch, err := k.encode(ctx, driver.Batch{Ops: []driver.Op{
		{Kind: driver.AddTable, Table: t},
		{Kind: driver.AddChain, Table: t, Chain: c},
		{Kind: driver.AddRule, Table: t, Chain: c, Rule: &program.Rule{Exprs: []program.Expr{e}}},
	}})
	if err != nil {
		return err
	}
	if err := k.control.send(batch.Trial()); err != nil {
		return err
	}
	failures, _, err := k.answers(batch)
	if err != nil {
		return err
	}
	for _, f := range failures {
		if f.Op < 0 {
			return f.Err
		}
		if errors.Is(f.Err, unix.ENOENT) {
			return missing(x, f.Err)
		}
	}
	return nil
}

func missing(x driver.XT, err error) error {
	kind := "match"
	if x.Target {
		kind = "target"
	}
	return fmt.Errorf("xt %s %s revision %d for %v: %w: %w", kind, x.Name, x.Rev, x.Family, driver.ErrUnsupported, err)
}
