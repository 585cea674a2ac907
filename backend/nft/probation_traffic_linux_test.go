package nft

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

const trafficPort = 4000

// shut drops the traffic, opened lets it in.
func shut() table.Ruleset {
	return table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Accept, rule.Drop(match.Dport(nf.UDP, trafficPort)))))
}

func opened() table.Ruleset {
	return table.NewRuleset(table.New(table.Filter, chain.BuiltIn(chain.Input, chain.Drop, rule.Accept(match.Dport(nf.UDP, trafficPort)))))
}

// traffic is numbered packets on their way from a peer to the host, and which of
// them arrived.
type traffic struct {
	t    *testing.T
	stop func()

	mu      sync.Mutex
	sent    uint32
	arrived map[uint32]bool
}

// flow begins to send a packet every fraction of a millisecond, two minutes at most.
func flow(t *testing.T, host, peer *lab.Host) *traffic {
	t.Helper()
	at := netip.MustParseAddrPort(labtest.HostIPv4 + ":4000")
	server, err := host.ListenPacket(t.Context(), "udp", at)
	if err != nil {
		t.Fatal(err)
	}
	client, err := peer.Dial(t.Context(), "udp", netip.AddrPort{}, at)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	x := &traffic{t: t, arrived: map[uint32]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		var b [4]byte
		for ctx.Err() == nil {
			x.mu.Lock()
			x.sent++
			binary.BigEndian.PutUint32(b[:], x.sent)
			_, _ = client.Write(b[:]) // within the lock: it is sent when sent says so
			x.mu.Unlock()
			time.Sleep(50 * time.Microsecond)
		}
	})
	wg.Go(func() {
		var b [8]byte
		for {
			n, err := server.Read(b[:])
			if err != nil {
				return
			}
			if n == 4 {
				x.mu.Lock()
				x.arrived[binary.BigEndian.Uint32(b[:])] = true
				x.mu.Unlock()
			}
		}
	})
	x.stop = func() {
		cancel()
		client.Close()
		server.Close()
		wg.Wait()
	}
	t.Cleanup(x.stop)
	return x
}

// mark is the number of the packet that was sent last: it has passed the firewall,
// since on a veth pair it does so before the sender goes on.
// It waits for one more, so that there are some between any two marks.
func (x *traffic) mark() uint32 {
	for first := uint32(0); ; time.Sleep(100 * time.Microsecond) {
		x.mu.Lock()
		n := x.sent
		x.mu.Unlock()
		switch {
		case first == 0:
			first = max(n, 1)
		case n > first || x.t.Context().Err() != nil:
			return n
		}
	}
}

// between wants every packet of (from, to] to have arrived, or none.
func (x *traffic) between(what string, from, to uint32, arrive bool) {
	x.t.Helper()
	time.Sleep(5 * time.Millisecond) // what has passed is read
	x.mu.Lock()
	defer x.mu.Unlock()
	wrong := 0
	for n := from + 1; n <= to; n++ {
		if x.arrived[n] != arrive {
			wrong++
		}
	}
	if wrong > 0 {
		x.t.Errorf("%s: %d of %d packets were on the wrong side", what, wrong, to-from)
	}
}

// No packet is on the wrong side of a try, an extend, a confirm, a revert or a
// confirm that comes too late.
func TestProbationUnderTraffic(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	fw := openFirewall(t, host, backend.Config{Owner: "trial"})
	apply(t, fw, shut())
	x := flow(t, host, peer)
	ctx := t.Context()
	for range 10 {
		began := x.mark()
		time.Sleep(2 * time.Millisecond)
		x.between("before", began, x.mark(), false)
		p := try(t, fw, opened(), time.Minute)
		began = x.mark()
		for range 5 {
			if err := p.Extend(ctx, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Confirm(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
		x.between("tried, extended and confirmed", began, x.mark(), true)
		apply(t, fw, shut())
		p = try(t, fw, opened(), time.Minute)
		if err := p.Revert(ctx); err != nil {
			t.Fatal(err)
		}
		began = x.mark()
		time.Sleep(2 * time.Millisecond)
		x.between("reverted", began, x.mark(), false)
		p = try(t, fw, opened(), 20*time.Millisecond)
		time.Sleep(40 * time.Millisecond)
		began = x.mark()
		if err := p.Confirm(ctx); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("confirmed too late: %v", err)
		}
		if err := p.Extend(ctx, time.Minute); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("extended too late: %v", err)
		}
		time.Sleep(2 * time.Millisecond)
		x.between("too late", began, x.mark(), false)
		apply(t, fw, shut())
	}
}

// trialChild says to a process of this test's that it is the one that will be killed,
// and in which namespace it works.
const trialChild = "GATEHOUSE_TRIAL_CHILD"

// TestTrialChild is the process that TestProbationOutlivesItsProcess kills.
func TestTrialChild(t *testing.T) {
	path := os.Getenv(trialChild)
	if path == "" {
		return // it has nothing to test by itself
	}
	fw, err := OpenIn(t.Context(), Path(path), backend.Config{Owner: "trial"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fw.Try(t.Context(), opened(), 400*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("tried\n")
	time.Sleep(time.Minute)
}

// The kernel goes back by itself when the process that tried is killed, with the
// counters of the old rules as they were.
func TestProbationOutlivesItsProcess(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	fw := openFirewall(t, host, backend.Config{Owner: "trial"})
	apply(t, fw, shut())
	x := flow(t, host, peer)
	time.Sleep(5 * time.Millisecond)
	child := exec.Command(os.Args[0], "-test.run=^TestTrialChild$")
	child.Env = append(os.Environ(), trialChild+"="+host.Path())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var said [6]byte
	if _, err := out.Read(said[:]); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	began := x.mark()
	time.Sleep(100 * time.Millisecond)
	x.between("killed, and on probation", began, x.mark(), true)
	time.Sleep(time.Until(killed.Add(450 * time.Millisecond)))
	began = x.mark()
	time.Sleep(20 * time.Millisecond)
	x.between("the time is up", began, x.mark(), false)
	before := dropped(t, fw)
	if before == 0 {
		t.Error("the old rule has lost its count")
	}
	apply(t, fw, shut())
	if now := dropped(t, fw); now < before {
		t.Errorf("the old rule counted %d, and after tidying up %d", before, now)
	}
	holds(t, fw, shut(), true)
}

// dropped is what the rule that drops the traffic has counted.
func dropped(t *testing.T, fw *backend.Firewall) uint64 {
	t.Helper()
	rs, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tab, _ := rs.Table(table.Filter)
	c, _ := tab.Chain(chain.Input)
	r, _ := c.Rule(1)
	return r.Counters().Packets
}
