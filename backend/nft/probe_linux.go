package nft

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"golang.org/x/sys/unix"
)

// probed is an answer, and when it was given.
type probed struct {
	err error
	at  time.Time
}

// doubt is how long a kernel that lacked an extension is believed: somebody may
// install the module.
const doubt = 10 * time.Second

// Probe asks the kernel for an xt extension, once; what it lacks it is asked for
// again after a while. The kernel loads the module that it takes. For inet tables, about which
// it answers no question, it is shown a rule in a batch that does not end.
func (k *kernel) Probe(ctx context.Context, x driver.XT) error {
	k.mu.Lock()
	was, known := k.probed[x]
	k.mu.Unlock()
	if known && (was.err == nil || time.Since(was.at) < doubt) {
		return was.err
	}
	if err := k.control.take(ctx); err != nil {
		return err
	}
	defer k.control.release()
	question := k.askXT
	if x.Family == program.Inet {
		question = k.tryXT
	}
	err := question(ctx, x)
	if err != nil && !errors.Is(err, driver.ErrUnsupported) {
		return k.explain(err)
	}
	k.mu.Lock()
	k.probed[x] = probed{err, time.Now()}
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
	batch, err := k.encode(ctx, driver.Batch{Ops: []driver.Op{
		{Kind: driver.AddTable, Table: t},
		{Kind: driver.AddChain, Table: t, Chain: c},
		{Kind: driver.AddRule, Table: t, Chain: c, Rule: &program.Rule{Exprs: []program.Expr{extension(x)}}},
	}})
	if err != nil {
		return err
	}
	if err := k.control.send(batch.Trial()); err != nil {
		return err
	}
	failures, _, err := k.answers(batch, true)
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

// extension is a rule's expression for an extension, without its data.
func extension(x driver.XT) program.Expr {
	if x.Target {
		return program.XTTarget{Name: x.Name, Rev: x.Rev}
	}
	return program.XTMatch{Name: x.Name, Rev: x.Rev}
}

func missing(x driver.XT, err error) error {
	kind := "match"
	if x.Target {
		kind = "target"
	}
	return fmt.Errorf("xt %s %s revision %d for %v: %w: %w", kind, x.Name, x.Rev, x.Family, driver.ErrUnsupported, err)
}
