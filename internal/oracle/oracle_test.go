//go:build linux

package oracle_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

func TestMain(m *testing.M) { labtest.Main(m) }

func TestIPTablesBlocks(t *testing.T) {
	for name, variant := range map[string]func(testing.TB, *lab.Host) *oracle.IPTables{
		"legacy": oracle.Legacy,
		"nft":    oracle.NFTVariant,
	} {
		t.Run(name, func(t *testing.T) {
			host, peer := labtest.Pair(t)
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			for addr, ipt := range map[string]*oracle.IPTables{
				labtest.HostIPv4: variant(t, host),
				labtest.HostIPv6: variant(t, host).V6(),
			} {
				to := netip.AddrPortFrom(netip.MustParseAddr(addr), 80)
				if _, err := host.Echo("tcp", to); err != nil {
					t.Fatal(err)
				}
				if s, err := peer.Connect(ctx, "tcp", to); s != lab.Open || err != nil {
					t.Errorf("%s before: %v, %v", to, s, err)
				}
				ipt.Must("-A", "INPUT", "-p", "tcp", "-m", "tcp", "--dport", "80", "-j", "DROP")
				if s, err := peer.Connect(ctx, "tcp", to); s != lab.Filtered || err != nil {
					t.Errorf("%s dropped: %v, %v", to, s, err)
				}
				want := "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n" +
					"-A INPUT -p tcp -m tcp --dport 80 -j DROP\nCOMMIT\n"
				ipt.Must("-Z")
				got := oracle.StripComments(ipt.Save("-t", "filter"))
				if got != want {
					t.Errorf("save:\n%s\nwant\n%s", got, want)
				}
				ipt.MustRestore(strings.Replace(want, "DROP", "REJECT", 1))
				if s, err := peer.Connect(ctx, "tcp", to); s != lab.Filtered || err != nil {
					t.Errorf("%s rejected: %v, %v", to, s, err)
				}
				if r := ipt.Restore("*filter\n-A INPUT -j nowhere\nCOMMIT\n"); r.Exit == 0 || r.Stderr == "" {
					t.Errorf("a bad restore: %+v", r)
				}
				if got := ipt.List("-n"); !strings.Contains(got, "tcp dpt:80 reject-with icmp") {
					t.Errorf("list: %s", got)
				}
			}
		})
	}
}

func TestNftReload(t *testing.T) {
	host := labtest.Host(t)
	nft := oracle.Nft(t, host)
	nft.MustLoad("table inet t { chain c { type filter hook input priority 0; tcp dport 80 counter accept; }; }")
	before, after, err := oracle.Reload(t, host)
	if err != nil || before != after || !strings.Contains(before, "tcp dport 80 counter packets 0 bytes 0 accept") {
		t.Errorf("before:\n%s\nafter:\n%s\n%v", before, after, err)
	}
	if got := nft.Debug(); !strings.Contains(got, "[ cmp eq reg 1 0x00005000 ]") {
		t.Errorf("debug: %s", got)
	}
	if got := nft.JSON(); !strings.HasPrefix(got, `{"nftables": [`) {
		t.Errorf("JSON: %s", got)
	}
	if r := nft.Load("table inet t { nonsense }"); r.Exit == 0 || r.Stderr == "" {
		t.Errorf("a bad load: %+v", r)
	}
	nft.Flush()
	if got := nft.List(); got != "" {
		t.Errorf("after flush: %s", got)
	}
}

func TestNmap(t *testing.T) {
	host, peer := labtest.Pair(t)
	if _, err := host.Echo("tcp", netip.MustParseAddrPort(labtest.HostIPv4+":25")); err != nil {
		t.Fatal(err)
	}
	got := oracle.Nmap(t, peer).Must("-sT", "-Pn", "-n", "-p", "20-30", labtest.HostIPv4)
	if !strings.Contains(got, "25/tcp open   smtp") {
		t.Errorf("nmap:\n%s", got)
	}
}

func TestConntrack(t *testing.T) {
	host, peer := labtest.Pair(t)
	oracle.Nft(t, host).MustLoad("table ip t { chain c { type filter hook input priority 0; ct state new counter; }; }")
	if err := peer.Ping(context.Background(), netip.MustParseAddr(labtest.HostIPv4)); err != nil {
		t.Fatal(err)
	}
	if got := oracle.Conntrack(t, host).Must("-L"); !strings.Contains(got, "src=192.168.1.102 dst=192.168.1.101 type=8") {
		t.Errorf("conntrack:\n%s", got)
	}
}
