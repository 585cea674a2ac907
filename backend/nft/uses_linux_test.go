package nft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The kernel counts what refers to a chain while a transaction is made ready, before
// it is committed and though it never is. What others make ready must not show: not
// the one rule of a chain gone, and no page as a jump to a chain of its own.
func TestWhatOthersMakeReadyIsNotSeen(t *testing.T) {
	host := labtest.Host(t)
	fw := openFirewall(t, host, backend.Config{Owner: "uses"})
	var many []rule.Rule
	for i := range 600 { // in pages
		many = append(many, ssh(uint16(i)))
	}
	want := table.NewRuleset(table.New(table.Filter.IPv4(),
		chain.BuiltIn(chain.Input, chain.Accept, many...), chain.New("one", rule.Drop())))
	apply(t, fw, want)

	k := connect(t, host)
	got, err := k.Read(t.Context(), driver.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	var ready []driver.Op
	for _, x := range got.Program.Tables {
		for _, c := range x.Chains {
			for _, r := range c.Rules {
				ready = append(ready, driver.Op{Kind: driver.DeleteRule, Table: x, Chain: c, Rule: r})
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var others sync.WaitGroup
	trials := 0
	others.Go(func() {
		for ; ctx.Err() == nil; trials++ {
			if err := k.Commit(ctx, driver.Batch{Ops: ready, Trial: true}); err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrClosed) {
				t.Errorf("trial %d: %v", trials, err)
				return
			}
		}
	})
	wrong := ""
	for range 300 {
		now, err := fw.Read(t.Context())
		if err != nil {
			t.Error(err)
			break
		}
		if now.String() != want.String() && wrong == "" {
			x, _ := now.Table(table.Filter.IPv4())
			in, _ := x.Chain(chain.Input)
			one, _ := x.Chain("one")
			wrong = fmt.Sprintf("INPUT has %d rules, the chain of one %d", in.Len(), one.Len())
		}
	}
	cancel()
	others.Wait()
	if wrong != "" || trials < 10 {
		t.Errorf("%s, beside %d transactions that were never committed", wrong, trials)
	}
}
