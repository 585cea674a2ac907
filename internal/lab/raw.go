//go:build linux

package lab

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// SendFrames sends whole Ethernet frames out of a device, as they are: to the
// host at the other end they arrive like any packet, and pass nothing on this
// host. Fragments, cut headers and wrong checksums are the caller's to make.
func (h *Host) SendFrames(device string, frames ...[]byte) error {
	link, err := h.link.LinkByName(device)
	if err != nil {
		return fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
	}
	return h.wrap(h.Do(func() error {
		// Protocol 0: this socket receives nothing.
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		to := &unix.SockaddrLinklayer{Ifindex: link.Attrs().Index}
		for i, f := range frames {
			if err := unix.Sendto(fd, f, 0, to); err != nil {
				return fmt.Errorf("frame %d of %d bytes: %w", i, len(f), err)
			}
		}
		return nil
	}))
}

// SendIP sends IP packets with their own headers through the host's routing
// and its OUTPUT hooks. The destination is read from each header. In an IPv4
// header the kernel writes length and checksum itself, and fills in a zero
// source or ID; an IPv6 packet goes out as it is. The error is EPERM where a
// rule in OUTPUT drops the packet.
func (h *Host) SendIP(packets ...[]byte) error {
	return h.wrap(h.Do(func() error {
		for i, p := range packets {
			if err := sendIP(p); err != nil {
				return fmt.Errorf("packet %d of %d bytes: %w", i, len(p), err)
			}
		}
		return nil
	}))
}

func sendIP(p []byte) error {
	family := unix.AF_INET
	var to netip.Addr
	switch {
	case len(p) >= 20 && p[0]>>4 == 4:
		to, _ = netip.AddrFromSlice(p[16:20])
	case len(p) >= 40 && p[0]>>4 == 6:
		family = unix.AF_INET6
		to, _ = netip.AddrFromSlice(p[24:40])
	default:
		return unix.EINVAL
	}
	// IPPROTO_RAW implies IP_HDRINCL, in both families.
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, p, 0, sockaddr(netip.AddrPortFrom(to, 0)))
}
