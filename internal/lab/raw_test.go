//go:build linux

package lab_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

func mac(t *testing.T, s string) net.HardwareAddr {
	t.Helper()
	m, err := net.ParseMAC(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// craft serialises layers with lengths and checksums filled in.
func craft(t *testing.T, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b.Bytes())
}

func ethernet(t *testing.T, kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: mac(t, labtest.PeerMAC), DstMAC: mac(t, labtest.HostMAC), EthernetType: kind}
}

func ipv4(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{
		Version: 4, TTL: 64, Protocol: protocol, Id: 77,
		SrcIP: net.ParseIP(labtest.PeerIPv4).To4(), DstIP: net.ParseIP(labtest.HostIPv4).To4(),
	}
}

// Two crafted fragments arrive as they were sent, and the host puts them
// together: its UDP server gets the whole.
func TestFragments(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	s, err := host.Echo("udp", port(labtest.HostIPv4, 5353))
	if err != nil {
		t.Fatal(err)
	}
	ip := ipv4(layers.IPProtocolUDP)
	udp := &layers.UDP{SrcPort: 1111, DstPort: 5353}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	whole := craft(t, udp, gopacket.Payload("a text in two pieces"))
	first, later := ipv4(layers.IPProtocolUDP), ipv4(layers.IPProtocolUDP)
	first.Flags, later.FragOffset = layers.IPv4MoreFragments, 2 // 16 bytes
	frames := [][]byte{
		craft(t, ethernet(t, layers.EthernetTypeIPv4), first, gopacket.Payload(whole[:16])),
		craft(t, ethernet(t, layers.EthernetTypeIPv4), later, gopacket.Payload(whole[16:])),
	}
	c, err := host.Capture("eth0")
	if err != nil {
		t.Fatal(err)
	}
	if err := peer.SendFrames("eth0", frames...); err != nil {
		t.Fatal(err)
	}
	got := collect(t, c, 3, 5*time.Second)
	if len(got) != 3 {
		t.Fatalf("%d packets, want both fragments and an answer", len(got))
	}
	for i, f := range frames {
		if got[i].Outgoing || !bytes.Equal(got[i].Frame, f) {
			t.Errorf("fragment %d is %x, want %x", i, got[i].Frame, f)
		}
	}
	if !got[2].Outgoing || !bytes.HasSuffix(got[2].Frame, []byte("a text in two pieces")) {
		t.Errorf("the answer is %+v", got[2])
	}
	if p := s.Peers(); len(p) != 1 || p[0] != port(labtest.PeerIPv4, 1111) {
		t.Errorf("asked by %v", p)
	}
}

// A header cut short reaches the firewall's hooks: -m ttl needs the IP header
// only, so its rule counts the packet.
func TestTruncatedHeader(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	ipt := oracle.Legacy(t, host)
	ipt.Must("-A", "INPUT", "-p", "udp", "-m", "ttl", "--ttl-eq", "64")
	frame := craft(t, ethernet(t, layers.EthernetTypeIPv4), ipv4(layers.IPProtocolUDP), gopacket.Payload("abc"))
	if err := peer.SendFrames("eth0", frame, frame); err != nil {
		t.Fatal(err)
	}
	if got := ipt.Save("-c"); !strings.Contains(got, "[2:46] -A INPUT -p udp") {
		t.Errorf("want 2 packets of 23 bytes:\n%s", got)
	}
}

// Packets with their own headers pass OUTPUT and arrive.
func TestSendIP(t *testing.T) {
	host, peer := labtest.QuietPair(t)
	oracle.Legacy(t, host).Must("-A", "INPUT", "-p", "253", "-j", "DROP") // or it would be answered
	c, err := host.Capture("eth0")
	if err != nil {
		t.Fatal(err)
	}
	six := &layers.IPv6{
		Version: 6, HopLimit: 9, NextHeader: layers.IPProtocolNoNextHeader,
		SrcIP: net.ParseIP(labtest.PeerIPv6), DstIP: net.ParseIP(labtest.HostIPv6),
	}
	packets := [][]byte{
		craft(t, ipv4(layers.IPProtocol(253)), gopacket.Payload("experiment")),
		craft(t, six, gopacket.Payload("nothing")),
	}
	if err := peer.SendIP(packets...); err != nil {
		t.Fatal(err)
	}
	got := collect(t, c, 2, 5*time.Second)
	if len(got) != 2 {
		t.Fatalf("%d packets, want 2", len(got))
	}
	for i, p := range packets {
		if !bytes.Equal(got[i].Frame[14:], p) {
			t.Errorf("packet %d is %x, want %x", i, got[i].Frame[14:], p)
		}
	}
	oracle.Legacy(t, peer).Must("-A", "OUTPUT", "-p", "253", "-j", "DROP")
	if err := peer.SendIP(packets[0]); !errors.Is(err, syscall.EPERM) {
		t.Errorf("dropped in OUTPUT: %v", err)
	}
	for _, bad := range [][]byte{nil, {0x45}, packets[0][:19], packets[1][:39], make([]byte, 40)} {
		if err := peer.SendIP(bad); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%x: %v", bad, err)
		}
	}
}

func TestCaptureEnds(t *testing.T) {
	host := labtest.Host(t)
	c, err := host.Capture("lo")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing came: %v", err)
	}
	if err := host.SendIP(craft(t, &layers.IPv4{
		Version: 4, TTL: 1, Protocol: 253, SrcIP: net.IP{127, 0, 0, 1}, DstIP: net.IP{127, 0, 0, 1},
	})); err != nil {
		t.Fatal(err)
	}
	if p, err := c.Next(soon(t)); err != nil || !p.Outgoing {
		t.Errorf("after a ctx that ended: %+v, %v", p, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Collect(soon(t), 1); err == nil {
		t.Error("reading a closed capture")
	}
	if _, err := host.Capture("eth7"); err == nil {
		t.Error("a device that is not there")
	}
}
