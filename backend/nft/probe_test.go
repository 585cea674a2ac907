//go:build linux

package nft

import (
	"errors"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
)

// What an inet table cannot have, though an ip table can, is found out too, and
// nothing is left behind. Which is which was measured on Linux 6.18.
func TestProbe(t *testing.T) {
	k := connect(t, labtest.Host(t))
	before, err := k.Generation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		xt        driver.XT
		supported bool
	}{
		{driver.XT{Family: p.IP, Name: "tcp"}, true},
		{driver.XT{Family: p.IP6, Name: "multiport", Rev: 1}, true},
		{driver.XT{Family: p.IP, Name: "multiport", Rev: 9}, false},
		{driver.XT{Family: p.IP, Name: "LOG", Target: true}, true},
		{driver.XT{Family: p.IP, Name: "LOG"}, false}, // no such match
		{driver.XT{Family: p.IP, Name: "nosuch"}, false},
		{driver.XT{Family: p.Inet, Name: "NFQUEUE", Rev: 3, Target: true}, true},
		{driver.XT{Family: p.Inet, Name: "comment"}, true},
		{driver.XT{Family: p.Inet, Name: "LOG", Target: true}, false},
		{driver.XT{Family: p.Inet, Name: "tcp"}, false},
		{driver.XT{Family: p.Inet, Name: "nosuch"}, false},
	} {
		for range 2 { // the second time it is remembered
			err := k.Probe(t.Context(), tc.xt)
			if (err == nil) != tc.supported || err != nil && !errors.Is(err, driver.ErrUnsupported) {
				t.Errorf("%+v: %v", tc.xt, err)
			}
		}
	}
	if len(k.probed) != 11 {
		t.Errorf("%d answers are remembered", len(k.probed))
	}
	if after, err := k.Generation(t.Context()); err != nil || after != before {
		t.Errorf("generation %d, was %d, %v", after, before, err)
	}
	if s, err := k.Read(t.Context(), driver.Scope{}); err != nil || len(s.Program.Tables) != 0 {
		t.Errorf("left behind: %+v, %v", s, err)
	}
}
