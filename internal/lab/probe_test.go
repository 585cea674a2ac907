//go:build linux

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

// icmp is a short hand for the error that host sends.
func icmp(from string, kind, code uint8) lab.ICMP {
	return lab.ICMP{From: netip.MustParseAddr(from), Type: kind, Code: code}
}

// Every answer that a rule can give is told apart. The numbers are those of
// RFC 792, RFC 1812 and RFC 4443; the errno is what Linux makes of them.
func TestProbeKnowsAnswers(t *testing.T) {
	host, peer := labtest.Pair(t)
	v4, v6 := labtest.HostIPv4, labtest.HostIPv6
	for i, c := range []struct {
		to, network, rule string
		want              lab.Outcome
	}{
		{v4, "tcp", "-j ACCEPT", lab.Outcome{State: lab.Open}},
		{v4, "udp", "-j ACCEPT", lab.Outcome{State: lab.Open}},
		{v4, "tcp", "-j DROP", lab.Outcome{State: lab.Filtered}},
		{v4, "udp", "-j DROP", lab.Outcome{State: lab.Filtered}},
		{v4, "tcp", "-j REJECT --reject-with tcp-reset", lab.Outcome{lab.Closed, syscall.ECONNREFUSED, lab.ICMP{}}},
		{v4, "tcp", "-j REJECT", lab.Outcome{lab.Filtered, syscall.ECONNREFUSED, icmp(v4, 3, 3)}},
		{v4, "udp", "-j REJECT", lab.Outcome{lab.Closed, syscall.ECONNREFUSED, icmp(v4, 3, 3)}},
		{v4, "tcp", "-j REJECT --reject-with icmp-host-unreachable", lab.Outcome{lab.Filtered, syscall.EHOSTUNREACH, icmp(v4, 3, 1)}},
		{v4, "udp", "-j REJECT --reject-with icmp-admin-prohibited", lab.Outcome{lab.Filtered, syscall.EHOSTUNREACH, icmp(v4, 3, 13)}},
		{v4, "tcp", "-j REJECT --reject-with icmp-proto-unreachable", lab.Outcome{lab.Filtered, syscall.ENOPROTOOPT, icmp(v4, 3, 2)}},
		{v6, "tcp", "-j ACCEPT", lab.Outcome{State: lab.Open}},
		{v6, "udp", "-j ACCEPT", lab.Outcome{State: lab.Open}},
		{v6, "tcp", "-j DROP", lab.Outcome{State: lab.Filtered}},
		{v6, "tcp", "-j REJECT --reject-with tcp-reset", lab.Outcome{lab.Closed, syscall.ECONNREFUSED, lab.ICMP{}}},
		{v6, "tcp", "-j REJECT", lab.Outcome{lab.Filtered, syscall.ECONNREFUSED, icmp(v6, 1, 4)}},
		{v6, "udp", "-j REJECT", lab.Outcome{lab.Closed, syscall.ECONNREFUSED, icmp(v6, 1, 4)}},
		{v6, "tcp", "-j REJECT --reject-with icmp6-adm-prohibited", lab.Outcome{lab.Filtered, syscall.EACCES, icmp(v6, 1, 1)}},
		{v6, "udp", "-j REJECT --reject-with icmp6-no-route", lab.Outcome{lab.Filtered, syscall.ENETUNREACH, icmp(v6, 1, 0)}},
	} {
		to := port(c.to, uint16(1000+i))
		if _, err := host.Echo(c.network, to); err != nil {
			t.Fatal(err)
		}
		ipt := oracle.Legacy(t, host)
		if to.Addr().Is6() {
			ipt = ipt.V6()
		}
		ipt.Must(strings.Fields(fmt.Sprintf("-A INPUT -p %s --dport %d %s", c.network, to.Port(), c.rule))...)
		got, err := peer.Probe(soon(t), lab.Probe{Network: c.network, To: to})
		if err != nil || got[0] != c.want {
			t.Errorf("%s to %s with %s: got %+v, %v; want %+v", c.network, c.to, c.rule, got, err, c.want)
		}
	}
}

// The ports of a scan, filtered, closed and open, each at its place and fast.
func TestScan(t *testing.T) {
	host, peer := labtest.Pair(t)
	for _, p := range []uint16{22, 25, 80, 1024} {
		if _, err := host.Echo("tcp", port(labtest.HostIPv4, p)); err != nil {
			t.Fatal(err)
		}
	}
	ipt := oracle.Legacy(t, host)
	ipt.Must("-A", "INPUT", "-p", "tcp", "-m", "multiport", "--dports", "24:26,1024", "-j", "ACCEPT")
	ipt.Must("-P", "INPUT", "DROP")
	start := time.Now()
	got, err := peer.Scan(soon(t), netip.MustParseAddr(labtest.HostIPv4), 1, 1024)
	if err != nil || len(got) != 1024 {
		t.Fatal(len(got), err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("a scan took %v", d)
	}
	for i, s := range got {
		want := lab.Filtered
		switch p := i + 1; p {
		case 25, 1024:
			want = lab.Open
		case 24, 26:
			want = lab.Closed
		}
		if s != want {
			t.Errorf("port %d is %v, want %v", i+1, s, want)
		}
	}
	if got, err := peer.Scan(soon(t), netip.MustParseAddr(labtest.HostIPv4), 25, 25); err != nil || len(got) != 1 || got[0] != lab.Open {
		t.Errorf("scan of one port: %v, %v", got, err)
	}
}

// A host answers every refused packet; by default a kernel would answer the
// first fifty.
func TestScanRejected(t *testing.T) {
	host, peer := labtest.Pair(t)
	ipt := oracle.Legacy(t, host)
	ipt.Must("-A", "INPUT", "-p", "udp", "-j", "REJECT")
	ipt.V6().Must("-A", "INPUT", "-p", "udp", "-j", "REJECT")
	for _, addr := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		var probes []lab.Probe
		for p := range uint16(400) {
			probes = append(probes, lab.Probe{Network: "udp", To: port(addr, p+1)})
		}
		got, err := peer.Probe(soon(t), probes...)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range got {
			if o.State != lab.Closed {
				t.Errorf("%s port %d: %+v", addr, i+1, o)
				break
			}
		}
	}
}

// One port may be served for each family.
func TestFamiliesAreApart(t *testing.T) {
	host := labtest.Host(t)
	for _, network := range []string{"tcp", "udp"} {
		four, err := host.Echo(network, port("0.0.0.0", 25))
		if err != nil {
			t.Fatal(err)
		}
		six, err := host.Echo(network, port("::", 25))
		if err != nil {
			t.Fatal(err)
		}
		for s, to := range map[*lab.Server]string{four: "127.0.0.1", six: "::1"} {
			if reply, err := host.Ask(soon(t), network, port(to, 25), "x"); reply != "x" || err != nil {
				t.Errorf("%s %s: %q, %v", network, to, reply, err)
			}
			if len(s.Peers()) != 1 {
				t.Errorf("%s %s: asked by %v", network, to, s.Peers())
			}
		}
	}
}

func TestProbeFrom(t *testing.T) {
	host, peer := labtest.Pair(t)
	for _, addr := range [][2]string{{labtest.PeerIPv4, labtest.HostIPv4}, {labtest.PeerIPv6, labtest.HostIPv6}} {
		for _, network := range []string{"tcp", "udp"} {
			s, err := host.Echo(network, port(addr[1], 7))
			if err != nil {
				t.Fatal(err)
			}
			p := lab.Probe{Network: network, From: port(addr[0], 4321), To: s.Addr()}
			for range 2 { // the port is free again at once
				out, err := peer.Probe(soon(t), p)
				if err != nil || out[0].State != lab.Open {
					t.Errorf("%+v: %v, %v", p, out, err)
				}
			}
			for range 500 { // the server may not have looked yet
				if len(s.Peers()) == 2 {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			if got := s.Peers(); len(got) != 2 || got[0] != p.From || got[1] != p.From {
				t.Errorf("%+v: asked by %v", p, got)
			}
		}
	}
}

// What keeps a question from being asked is an error, not an outcome.
func TestProbeErrors(t *testing.T) {
	host := labtest.Host(t)
	if _, err := host.Connect(soon(t), "tcp", port("10.9.9.9", 1)); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("no route: %v", err)
	}
	if _, err := host.Connect(soon(t), "sctp", port("127.0.0.1", 1)); !errors.Is(err, syscall.EPROTONOSUPPORT) {
		t.Errorf("network: %v", err)
	}
	if _, err := host.Probe(soon(t), lab.Probe{}); err == nil {
		t.Error("a probe of nothing")
	}
	ctx, cancel := context.WithCancel(soon(t))
	cancel()
	if _, err := host.Connect(ctx, "tcp", port("127.0.0.1", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if got, err := host.Probe(soon(t)); err != nil || len(got) != 0 {
		t.Errorf("no probes: %v, %v", got, err)
	}
}

// A probe over loopback gets its answer inside the asking call.
func TestProbeLoopback(t *testing.T) {
	host := labtest.Host(t)
	for _, addr := range []string{"127.0.0.1", "::1"} {
		for _, network := range []string{"tcp", "udp"} {
			s, err := host.Echo(network, port(addr, 0))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := host.Connect(soon(t), network, s.Addr()); err != nil || got != lab.Open {
				t.Errorf("%s %s: %v, %v", network, s.Addr(), got, err)
			}
			if got, err := host.Connect(soon(t), network, port(addr, 1)); err != nil || got != lab.Closed {
				t.Errorf("%s %s port 1: %v, %v", network, addr, got, err)
			}
		}
	}
	oracle.Legacy(t, host).Must("-P", "OUTPUT", "DROP")
	for _, network := range []string{"tcp", "udp"} {
		if got, err := host.Connect(soon(t), network, port("127.0.0.1", 1)); err != nil || got != lab.Filtered {
			t.Errorf("%s dropped in OUTPUT: %v, %v", network, got, err)
		}
	}
}

func TestPing(t *testing.T) {
	host, peer := labtest.Pair(t)
	for _, addr := range []string{labtest.HostIPv4, labtest.HostIPv6} {
		to := netip.MustParseAddr(addr)
		ipt, with, want := oracle.Legacy(t, host), "icmp-host-prohibited", icmp(addr, 3, 10)
		echo := []string{"-p", "icmp", "--icmp-type", "echo-request"}
		if to.Is6() {
			ipt, with, want = ipt.V6(), "icmp6-adm-prohibited", icmp(addr, 1, 1)
			echo = []string{"-p", "icmpv6", "--icmpv6-type", "echo-request"}
		}
		if err := peer.Ping(soon(t), to); err != nil {
			t.Error(err)
		}
		ipt.Must(append(echo, "-A", "INPUT", "-j", "REJECT", "--reject-with", with)...)
		var un *lab.Unreachable
		if err := peer.Ping(soon(t), to); !errors.As(err, &un) || un.ICMP != want {
			t.Errorf("rejected: %v, want %+v", err, want)
		}
		ipt.Must(append(echo, "-R", "INPUT", "1", "-j", "DROP")...)
		if err := peer.Ping(soon(t), to); !errors.Is(err, lab.ErrNoAnswer) {
			t.Errorf("dropped: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		if err := peer.Ping(ctx, to); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("out of time: %v", err)
		}
		cancel()
	}
}
