//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// readyWithin bounds how long a link may take to come up. It takes
// milliseconds; a machine under load gets more.
const readyWithin = 10 * time.Second

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
// itself, gives both ends their addresses and returns when both are up and
// every address may be used.
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

// Dummy gives the host a device that is up and leads nowhere.
func (h *Host) Dummy(device string, addresses ...string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = device
	if err := h.link.LinkAdd(&netlink.Dummy{LinkAttrs: attrs}); err != nil {
		return fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
	}
	return h.address(device, addresses)
}

// Address gives a device of the host further addresses, such as
// "192.168.1.7/24". Duplicate address detection is left out.
func (h *Host) Address(device string, addresses ...string) error {
	return h.address(device, addresses)
}

// address adds addresses to a device and brings it up.
func (h *Host) address(device string, addresses []string) error {
	link, err := h.link.LinkByName(device)
	if err != nil {
		return fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
	}
	for _, a := range addresses {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
		}
		addr := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := h.link.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("lab: host %s: %s: address %s: %w", h.name, device, a, err)
		}
	}
	if err := h.link.LinkSetUp(link); err != nil {
		return fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
	}
	return nil
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

// Route sends what goes to a prefix ("0.0.0.0/0" and "::/0" are the default)
// by way of a router's address.
func (h *Host) Route(to, via string) error {
	p, err := netip.ParsePrefix(to)
	if err != nil {
		return h.wrap(err)
	}
	gw, err := netip.ParseAddr(via)
	if err != nil {
		return h.wrap(err)
	}
	if err := h.link.RouteAdd(&netlink.Route{Dst: ipNet(p.Masked()), Gw: gw.AsSlice()}); err != nil {
		return fmt.Errorf("lab: host %s: route %s via %s: %w", h.name, to, via, err)
	}
	return nil
}

// MAC is a device's hardware address, for crafted frames.
func (h *Host) MAC(device string) (net.HardwareAddr, error) {
	link, err := h.link.LinkByName(device)
	if err != nil {
		return nil, fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
	}
	return link.Attrs().HardwareAddr, nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
