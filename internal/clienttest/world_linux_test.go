package clienttest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

func onKernel(t *testing.T, test func(t *testing.T, w world)) {
	t.Helper()
	t.Run("kernel", func(t *testing.T) { test(t, kernel(t, labtest.Host(t))) })
}

// kernel is a host of the lab.
func kernel(t testing.TB, h *lab.Host) world {
	t.Helper()
	return world{
		pass: time.Sleep,
		open: func(t testing.TB, cfg backend.Config) *backend.Firewall { t.Helper(); return open(t, h, cfg) },
		// With handles: a rule that was replaced by the same rule would show.
		list: func(t testing.TB) string { t.Helper(); return oracle.Nft(t, h).List("-a") },
		reload: func(t testing.TB) {
			t.Helper()
			before, after, err := oracle.Reload(t, h)
			if err != nil || before != after {
				t.Errorf("what nft lists does not load again: %v\n%s", err, cmp.Diff(before, after))
			}
		},
	}
}

// open is nft.OpenIn for a host of the lab.
func open(t testing.TB, h *lab.Host, cfg backend.Config) *backend.Firewall {
	t.Helper()
	fw, err := nft.OpenIn(t.Context(), nft.FD(h.FD()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fw.Close() })
	return fw
}
