//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// readyWithin bounds how long a link may take to come up. It takes
	// milliseconds; a machine under load gets more.
	readyWithin = 10 * time.Second
	// quietFor is how long a new link must have sent nothing until it counts
	// as quiet: the kernel's three reports of its IPv6 multicast groups are
	// at most three clock ticks apart.
	quietFor = 30 * time.Millisecond
)

// End is one end of a cable. See Host.End and Lab.Wire.
type End struct {
	// Host has the device.
	Host *Host
	// Device is its name there, at most 15 bytes, such as "eth0".
	Device string
	// Addresses are the device's addresses with their prefix lengths, such as
	// "192.168.1.101/24" or "fd00::1/64". None: only IPv6's link-local one.
	Addresses []string
	// MAC is the hardware address, such as "02:00:00:00:00:01". Empty: the
	// kernel makes one up.
	MAC string
}

// End describes one end of a cable for Lab.Wire.
func (h *Host) End(device string, addresses ...string) End {
	return End{Host: h, Device: device, Addresses: addresses}
}

// Wire lays a cable (a veth pair) between two hosts, or from a host to
// itself, gives both ends their addresses and returns when both are up, every
// address may be used, and what the kernel sends over a new link by itself
// was sent.
func (l *Lab) Wire(a, b End) error {
	if a.Host == nil || b.Host == nil {
		return errors.New("lab: wire: an end without a host")
	}
	if err := lay(a, b); err != nil {
		return fmt.Errorf("lab: wire %s %s to %s %s: %w", a.Host.name, a.Device, b.Host.name, b.Device, err)
	}
	for _, e := range []End{a, b} {
		if err := e.Host.address(e.Device, e.Addresses); err != nil {
			return err
		}
	}
	for _, e := range []End{a, b} {
		if err := e.Host.ready(e.Device); err != nil {
			return err
		}
	}
	return hush(a, b)
}

// hush waits until neither end of a cable has sent anything for a while.
func hush(a, b End) error {
	var sent [2]uint64
	silent := time.Now()
	for end := silent.Add(readyWithin); ; time.Sleep(5 * time.Millisecond) {
		for i, e := range []End{a, b} {
			link, err := e.Host.link.LinkByName(e.Device)
			if err != nil {
				return fmt.Errorf("lab: host %s: %s: %w", e.Host.name, e.Device, err)
			}
			if s := link.Attrs().Statistics; s != nil && s.TxPackets != sent[i] {
				sent[i], silent = s.TxPackets, time.Now()
			}
		}
		switch now := time.Now(); {
		case now.Sub(silent) >= quietFor:
			return nil
		case now.After(end):
			return fmt.Errorf("lab: %s %s is not quiet after %v", a.Host.name, a.Device, readyWithin)
		}
	}
}

// Introduce makes the ends of a cable know each other's hardware addresses for
// good: no ARP and no neighbour discovery passes between them, so that counters
// count the test's own packets only.
func (l *Lab) Introduce(a, b End) error {
	for _, e := range [][2]End{{a, b}, {b, a}} {
		if err := e[0].Host.know(e[0].Device, e[1]); err != nil {
			return err
		}
	}
	return nil
}

// lay makes the pair in a's namespace with the peer born in b's.
func lay(a, b End) error {
	macA, err := parseMAC(a.MAC)
	if err != nil {
		return err
	}
	macB, err := parseMAC(b.MAC)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = a.Device, macA
	b.Host.mu.RLock()
	defer b.Host.mu.RUnlock()
	return a.Host.link.LinkAdd(&netlink.Veth{
		LinkAttrs:        attrs,
		PeerName:         b.Device,
		PeerHardwareAddr: macB,
		PeerNamespace:    netlink.NsFd(b.Host.ns),
	})
}

func parseMAC(s string) (net.HardwareAddr, error) {
	if s == "" {
		return nil, nil
	}
	return net.ParseMAC(s)
}

// ready waits until a device has its carrier and none of its addresses is
// tentative. The kernel does both in the background.
func (h *Host) ready(device string) error {
	for end := time.Now().Add(readyWithin); ; time.Sleep(2 * time.Millisecond) {
		link, err := h.link.LinkByName(device)
		if err != nil {
			return fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
		}
		addrs, err := h.link.AddrList(link, netlink.FAMILY_V6)
		if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
			return fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
		}
		up := link.Attrs().OperState == netlink.OperUp
		for _, a := range addrs {
			up = up && a.Flags&unix.IFA_F_TENTATIVE == 0
		}
		if up {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("lab: host %s: %s: not up after %v", h.name, device, readyWithin)
		}
	}
}
