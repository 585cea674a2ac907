package sharedtest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// restoring makes the test program our iptables-restore, whose messages can be
// listened to: its value is the family.
const restoring = "GATEHOUSE_SHAREDTEST_RESTORE"

func TestMain(m *testing.M) {
	if f := os.Getenv(restoring); f != "" {
		if err := restore(f); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	labtest.Main(m)
}

// restore applies the save text on the standard input.
func restore(family string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	f := nf.IPv4
	if family == "ip6" {
		f = nf.IPv6
	}
	rs, err := table.Parse(os.Stdin, f)
	if err != nil {
		return err
	}
	fw, err := nft.Open(ctx, backend.Config{Owner: backend.Iptables})
	if err != nil {
		return err
	}
	defer fw.Close()
	return fw.Apply(ctx, rs)
}

// families are both, by their iptables.
var families = map[string]nf.Family{"ip": nf.IPv4, "ip6": nf.IPv6}

// files are the examples of every match and target.
func files(t *testing.T) []exttest.File {
	t.Helper()
	out := append(exttest.LoadFrom(t, "../../rule/match/testdata"), exttest.LoadFrom(t, "../../rule/target/testdata")...)
	if len(out) < 40 {
		t.Fatalf("%d files of examples were found", len(out))
	}
	return out
}

// real is iptables-nft in a host.
func real(t testing.TB, h *lab.Host, f nf.Family) *oracle.IPTables {
	t.Helper()
	x := oracle.NFTVariant(t, h)
	if f == nf.IPv6 {
		x = x.V6()
	}
	return x
}

// open is us in a host, as the owner iptables.
func open(t testing.TB, h *lab.Host) *backend.Firewall {
	t.Helper()
	fw, err := nft.OpenIn(t.Context(), nft.FD(h.FD()), backend.Config{Owner: backend.Iptables})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fw.Close() })
	return fw
}

// host is a host with nothing in it.
func host(t testing.TB) *lab.Host { return labtest.Host(t) }
