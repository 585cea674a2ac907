package sim

import (
	"fmt"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/image/imagetest"
	model "github.com/gatehouse-fw/gatehouse/table"
)

// An edit from an image is the edit that has everything read.
func TestQuickEdits(t *testing.T) {
	for seed := range uint64(3) {
		for _, c := range []imagetest.Case{
			{Owner: "x", Table: model.Filter}, {Owner: "x", Table: model.Filter.IPv4()}, {Owner: backend.Iptables, Table: model.Filter.IPv4()},
		} {
			c.Seed, c.Steps = seed, 40
			t.Run(fmt.Sprintf("%s %v %d", c.Owner, c.Table, seed), func(t *testing.T) {
				host := func() imagetest.Host {
					h := New(Config{})
					return imagetest.Host{Dial: func() driver.Driver { return h.dial() }}
				}
				imagetest.Run(t, c, host(), host())
			})
		}
	}
}

func TestWhatAnEditCosts(t *testing.T) {
	h := New(Config{})
	imagetest.Cost(t, imagetest.Host{Dial: func() driver.Driver { return h.dial() }})
}
