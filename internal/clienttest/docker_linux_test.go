package clienttest

import (
	"net/netip"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// A published port is reached from outside, from the host and from the container
// itself, over both families; what is not published is not; and when the
// container is gone nobody reaches anything.
func TestPublishedPortWithPackets(t *testing.T) {
	l := labtest.New(t)
	host, outside, container := l.Host("host"), l.Host("outside"), l.Host("container")
	l.Wire(host.End("eth0", "192.168.1.101/24", "fd00:1::101/64"), outside.End("eth0", "192.168.1.102/24", "fd00:1::102/64"))
	l.Wire(host.End("docker0", "172.17.0.1/16", "fd00:17::1/64"), container.End("eth0", "172.17.0.2/16", "fd00:17::2/64"))
	for _, r := range []struct{ to, via string }{{"0.0.0.0/0", "172.17.0.1"}, {"::/0", "fd00:17::1"}} {
		if err := container.Route(r.to, r.via); err != nil {
			t.Fatal(err)
		}
	}
	// The stranger knows the way to the containers: what keeps it out is the filter.
	for _, r := range []struct{ to, via string }{{"172.17.0.0/16", "192.168.1.101"}, {"fd00:17::/64", "fd00:1::101"}} {
		if err := outside.Route(r.to, r.via); err != nil {
			t.Fatal(err)
		}
	}
	if err := host.Forward(); err != nil {
		t.Fatal(err)
	}
	w := kernel(t, host)
	fw := w.open(t, backend.Config{Owner: "docker"})
	for _, b := range []struct {
		bridge
		public, gateway, web, secret string
	}{
		{docker4, "192.168.1.101:8080", "172.17.0.1", "172.17.0.2:80", "172.17.0.2:81"},
		{docker6, "[fd00:1::101]:8080", "fd00:17::1", "[fd00:17::2]:80", "[fd00:17::2]:81"},
	} {
		w.apply(t, fw, b.rules())
		public, web, secret := netip.MustParseAddrPort(b.public), netip.MustParseAddrPort(b.web), netip.MustParseAddrPort(b.secret)
		srv := serve(t, container, "tcp", web)
		serve(t, container, "tcp", secret)
		if s, err := outside.Connect(t.Context(), "tcp", public); s != lab.Closed || err != nil {
			t.Errorf("before it is published: %v, %v", s, err)
		}
		if err := b.publish(t.Context(), fw, "web", port(8080, b.web)); err != nil {
			t.Fatal(err)
		}
		for i, from := range []struct {
			name string
			host *lab.Host
			seen string // as whom the container sees the caller
		}{
			{"outside", outside, ""}, {"the host", host, ""}, {"the container", container, b.gateway},
		} {
			if reply, err := from.host.Ask(t.Context(), "tcp", public, "GET"); err != nil || reply != "GET" {
				t.Errorf("from %s to %v: %q, %v", from.name, public, reply, err)
				continue
			}
			if p := srv.Peers(); from.seen != "" && p[i].Addr().String() != from.seen {
				t.Errorf("from %s: seen as %v, want %s", from.name, p[i], from.seen)
			}
		}
		if s, err := outside.Connect(t.Context(), "tcp", secret); s != lab.Filtered || err != nil {
			t.Errorf("what is not published: %v, %v", s, err)
		}
		if n, err := b.unpublish(t.Context(), fw, "web"); n != 3 || err != nil {
			t.Errorf("removed %d, %v", n, err)
		}
		if s, err := outside.Connect(t.Context(), "tcp", public); s != lab.Closed || err != nil {
			t.Errorf("after it was taken back: %v, %v", s, err)
		}
	}
}
