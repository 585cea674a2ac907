package packettest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

// The third host's addresses, and the middle one's on its side.
const (
	farIPv4, farIPv6 = "10.9.0.2", "fd00:9::2"
	nearIPv4         = "10.9.0.1"
	nearIPv6         = "fd00:9::1"
	otherIPv4        = "192.168.1.77" // the peer, too
	farMAC           = "02:00:00:00:09:02"
	nearMAC          = "02:00:00:00:09:01"
)

// world is one lab: see the package's comment.
type world struct {
	t               testing.TB
	host, peer, far *lab.Host
	seen            *lab.Capture // of the host's eth0
	sent            int          // frames that the host has not been seen to get yet
}

func newWorld(t testing.TB) *world {
	t.Helper()
	l := labtest.New(t)
	w := &world{t: t, host: l.Host("host"), peer: l.Host("peer"), far: l.Host("far")}
	ends := [...]lab.End{
		w.host.End("eth0", labtest.HostIPv4+"/24", labtest.HostIPv6+"/64"),
		w.peer.End("eth0", labtest.PeerIPv4+"/24", labtest.PeerIPv6+"/64"),
		w.host.End("eth1", nearIPv4+"/24", nearIPv6+"/64"),
		w.far.End("eth0", farIPv4+"/24", farIPv6+"/64"),
	}
	for i, mac := range [...]string{labtest.HostMAC, labtest.PeerMAC, nearMAC, farMAC} {
		ends[i].MAC = mac
	}
	for i := 0; i < len(ends); i += 2 {
		l.Wire(ends[i], ends[i+1])
		w.must(l.Introduce(ends[i], ends[i+1]))
	}
	w.must(w.host.Forward())
	exttest.Objects(t, w.host)
	w.must(w.peer.Route("0.0.0.0/0", labtest.HostIPv4))
	w.must(w.peer.Route("::/0", labtest.HostIPv6))
	w.must(w.far.Route("0.0.0.0/0", nearIPv4))
	w.must(w.far.Route("::/0", nearIPv6))
	// Others on either side, so that nobody is looked for in vain: an answer that
	// nobody is there comes seconds later, or after the test.
	w.must(w.peer.Address("eth0", otherIPv4+"/24"))
	for i := range 8 {
		w.must(w.far.Address("eth0", fmt.Sprintf("10.9.0.%d/24", 3+i)))
		w.must(w.host.Address("eth1", fmt.Sprintf("10.9.0.%d/24", 50+i)))
	}
	w.must(w.host.Route("198.51.100.0/24", farIPv4))
	// Nowhere is without a route: that error the kernel sends once a second.
	w.must(w.host.Route("203.0.113.0/24", farIPv4))
	// Errors as often as they are due, however long a test takes.
	w.must(w.host.Sysctl("net.ipv4.icmp_ratemask", "0"))
	w.must(w.host.Sysctl("net.ipv6.icmp.ratelimit", "0"))
	w.seen = w.capture(w.host, "eth0")
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) capture(h *lab.Host, device string) *lab.Capture {
	w.t.Helper()
	c, err := h.Capture(device)
	w.must(err)
	return c
}

// send sends frames from the peer and returns when the host has worked them off.
func (w *world) send(frames ...[]byte) {
	w.t.Helper()
	w.must(w.peer.SendFrames("eth0", frames...))
	w.sent += len(frames)
	w.arrived()
}

// arrived waits until the frames that were sent were seen on the host. A frame
// is seen before the firewall sees it, in the same run of the kernel's.
func (w *world) arrived() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	for w.sent > 0 {
		p, err := w.seen.Next(ctx)
		if err != nil {
			w.t.Fatalf("%d frames did not arrive: %v", w.sent, err)
		}
		if !p.Outgoing {
			w.sent--
		}
	}
}

const (
	silence  = 25 * time.Millisecond // nothing came for so long: nothing will
	patience = 3 * time.Second       // what came to the judge will come to us
	most     = 200                   // frames that a trial may give rise to
)

// housekeeping says whether a frame is what an IPv6 host says by itself when a
// device comes up: which groups it is in, and whether there is a router.
func housekeeping(frame []byte) bool {
	return len(frame) > 6 && frame[0] == 0x33 && frame[1] == 0x33 && frame[2]|frame[3]|frame[4] == 0 &&
		(frame[5] == 0x16 || frame[5] == 0x02)
}

// collect returns the frames that came in on a capture until it is silent, for
// which it waits longer until the first n are there.
func (w *world) collect(c *lab.Capture, n int) (frames [][]byte) {
	w.t.Helper()
	for empty := 0; len(frames) <= most; {
		wait := silence
		if len(frames) < n {
			wait = patience
		} else if n > 0 {
			wait = silence / 4
		}
		ctx, cancel := context.WithTimeout(w.t.Context(), wait)
		ps, err := c.Collect(ctx, 1)
		cancel()
		w.must(err)
		if len(ps) == 0 {
			// Once may be this process that stood still.
			if empty++; empty == 2 {
				return frames
			}
			continue
		}
		empty = 0
		if !ps[0].Outgoing && !housekeeping(ps[0].Frame) {
			frames = append(frames, ps[0].Frame)
		}
	}
	w.t.Fatal("the packets do not end: do they go round?")
	return nil
}

// forget ends every connection that the host has tracked.
func (w *world) forget() {
	w.t.Helper()
	if r := oracle.Conntrack(w.t, w.host).Run("-F"); r.Exit != 0 {
		w.t.Fatalf("conntrack -F: %s", r.Stderr)
	}
}
