//go:build linux

package lab

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Dummy gives the host a device that is up and leads to nobody: a cable to a
// host that has no address. (Not every kernel has the dummy driver.)
func (h *Host) Dummy(device string, addresses ...string) error {
	nobody, err := h.lab.Host("nobody, behind " + device)
	if err != nil {
		return err
	}
	return h.lab.Wire(h.End(device, addresses...), nobody.End("eth0"))
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

// know enters the addresses of the other end as permanent neighbours.
func (h *Host) know(device string, other End) error {
	mac, err := other.Host.MAC(other.Device)
	if err != nil {
		return err
	}
	link, err := h.link.LinkByName(device)
	if err != nil {
		return fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
	}
	for _, a := range other.Addresses {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return h.wrap(err)
		}
		n := &netlink.Neigh{
			LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT,
			IP: p.Addr().AsSlice(), HardwareAddr: mac,
		}
		if err := h.link.NeighSet(n); err != nil {
			return fmt.Errorf("lab: host %s: neighbour %s: %w", h.name, p.Addr(), err)
		}
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
