package nft_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// many is a ruleset of n rules in INPUT.
func many(n int) table.Ruleset {
	rules := make([]rule.Rule, n)
	for i := range rules {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		rules[i] = rule.Accept(match.Source(a), match.Dport(nf.TCP, uint16(i)))
	}
	return table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, rules...)))
}

func TestHundredThousandRules(t *testing.T) {
	fw := firewall(t, labtest.Host(t), backend.Config{Owner: "big"})
	rs := many(100_000)
	apply(t, fw, rs)
	got, err := fw.Read(t.Context())
	if err != nil || !got.Equal(rs) {
		t.Errorf("read %d tables, %v", got.Len(), err)
	}
	if err := fw.Remove(t.Context()); err != nil {
		t.Error(err)
	}
}

// asNobody runs one of these tests again as an ordinary user, in a user
// namespace of its own, where no privilege lifts the socket's limits.
const asNobody = "GATEHOUSE_TEST_AS_NOBODY"

func TestTenThousandRulesRootless(t *testing.T) {
	if os.Getenv(asNobody) == "" && os.Getuid() == 0 && !inUserNamespace(t) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env, cmd.Dir = append(os.Environ(), asNobody+"=1"), "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	fw := firewall(t, labtest.Host(t), backend.Config{Owner: "big"})
	rs := many(10_000)
	apply(t, fw, rs)
	apply(t, fw, many(9_000)) // and a change of many rules at once
	got, err := fw.Read(t.Context())
	if err != nil || !got.Equal(many(9_000)) {
		t.Errorf("read %d tables, %v", got.Len(), err)
	}
}

func inUserNamespace(t *testing.T) bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b))
	return len(f) == 3 && f[2] == "1"
}

func TestWithoutPrivilege(t *testing.T) {
	if os.Getenv(asNobody) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
		// Without a namespace of its own: the probe fails, and Apply must say why.
		cmd.Env, cmd.Dir = append(os.Environ(), asNobody+"=1", "GATEHOUSE_LAB_ENTERED=1"), "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if inUserNamespace(t) {
			return // every process of this test is privileged in its own namespace
		}
		var out []byte
		err := labtest.Host(t).Do(func() (err error) { // never in the machine's own namespace
			out, err = cmd.CombinedOutput()
			return err
		})
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	checkUnprivileged(t)
}

// gap is UDP traffic that must go through without a gap: a packet to a port
// that both rulesets accept, over and over, and one to a port that both drop.
type gap struct {
	sent, lost, leaked atomic.Int64
}

// run sends until stop is closed. Each packet is answered by the echo server on
// an accepted port; one on the other port must never be.
func (g *gap) run(ctx context.Context, t *testing.T, peer *lab.Host, open, shut netip.AddrPort, stop chan struct{}) {
	conn, err := peer.Dial(ctx, "udp", netip.AddrPort{}, open)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	bad, err := peer.Dial(ctx, "udp", netip.AddrPort{}, shut)
	if err != nil {
		t.Error(err)
		return
	}
	defer bad.Close()
	buf := make([]byte, 16)
	for {
		select {
		case <-stop:
			g.leaked.Add(received(bad, buf))
			return
		default:
		}
		g.sent.Add(1)
		_, _ = bad.Write([]byte("bad"))
		_, _ = conn.Write([]byte("good"))
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second)) // late is not lost
		if _, err := conn.Read(buf); errors.Is(err, os.ErrDeadlineExceeded) {
			g.lost.Add(1)
		}
	}
}

// received counts what a socket got.
func received(c net.Conn, buf []byte) (n int64) {
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	for {
		if _, err := c.Read(buf); err != nil {
			return n
		}
		n++
	}
}

// No packet goes through a gap: ports are sets, with ranges too, and every
// change replaces all of them.
func TestNoPacketThroughAGap(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	fw := firewall(t, host, backend.Config{Owner: "gap"})
	open := netip.AddrPortFrom(netip.MustParseAddr(labtest.HostIPv4), 5000)
	shut := netip.AddrPortFrom(netip.MustParseAddr(labtest.HostIPv4), 6000)
	for _, at := range [...]netip.AddrPort{open, shut} {
		if _, err := host.Echo("udp", at); err != nil {
			t.Fatal(err)
		}
	}
	version := func(i int) table.Ruleset {
		lo := uint16(1000 + i%500)
		lists := [...]string{
			fmt.Sprintf("%d:%d,%d:5100,53", 100, lo, 4000+i%500),
			fmt.Sprintf("5000,%d", lo),
			fmt.Sprintf("%d,%d,5000:5001", lo, lo+700),
		}
		r, err := rule.Parse("-p udp -m multiport --dports "+lists[i%len(lists)]+" -j ACCEPT", nf.IPv4)
		if err != nil {
			t.Fatal(err)
		}
		return table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, r)))
	}
	apply(t, fw, version(0))
	g, stop, done := &gap{}, make(chan struct{}), make(chan struct{})
	go func() { defer close(done); g.run(t.Context(), t, peer, open, shut, stop) }()
	changes := 0
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
		changes++
		if err := fw.Apply(t.Context(), version(changes)); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	<-done
	t.Logf("%d changes, %d packets", changes, g.sent.Load())
	if g.lost.Load() != 0 || g.leaked.Load() != 0 || changes < 100 || g.sent.Load() < 1000 {
		t.Errorf("%d changes, %d packets: %d lost, %d leaked", changes, g.sent.Load(), g.lost.Load(), g.leaked.Load())
	}
	if list := oracle.Nft(t, host).List(); strings.Count(list, "set ") > 1 {
		t.Errorf("old sets were not swept:\n%s", list)
	}
}

// checkUnprivileged sees what a process without CAP_NET_ADMIN is told.
func checkUnprivileged(t *testing.T) {
	_, err := nft.Open(t.Context(), backend.Config{Owner: "x"})
	var be *backend.Error
	if !errors.As(err, &be) || !errors.Is(err, os.ErrPermission) || !strings.Contains(be.Error(), "CAP_NET_ADMIN") {
		t.Errorf("%v", err)
	}
	if err := many(10).Err(); err != nil {
		t.Errorf("rules can be made and checked without privilege: %v", err)
	}
}
