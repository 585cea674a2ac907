//go:build linux

package lab

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Packet is a captured frame.
type Packet struct {
	// Frame is the whole Ethernet frame. What this kernel sent itself may
	// have its TCP or UDP checksum still to be filled in, and TCP segments
	// larger than the device's MTU.
	Frame []byte
	// Outgoing says that the host sent it; else it arrived.
	Outgoing bool
}

// Capture reads what passes one device of a host. See Host.Capture.
type Capture struct {
	host *Host
	file *os.File
	raw  syscall.RawConn
}

// Capture begins to record what arrives at and leaves from a device: every
// packet from its return on. Incoming packets are seen before any firewall,
// outgoing ones after it. Close ends it.
func (h *Host) Capture(device string) (*Capture, error) {
	link, err := h.link.LinkByName(device)
	if err != nil {
		return nil, fmt.Errorf("lab: host %s: %s: %w", h.name, device, err)
	}
	fd := -1
	err = h.Do(func() error {
		var err error
		fd, err = packetSocket(link.Attrs().Index)
		return err
	})
	if err != nil {
		return nil, h.wrap(err)
	}
	c := &Capture{host: h, file: os.NewFile(uintptr(fd), "capture "+device)}
	if c.raw, err = c.file.SyscallConn(); err != nil {
		_ = c.file.Close()
		return nil, h.wrap(err)
	}
	return c, h.lab.track(c)
}

// packetSocket opens a packet socket on one device with room for a burst.
func packetSocket(index int) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	const room = 8 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room) // as much as an ordinary user gets
	}
	var be [2]byte // the address has the protocol in network order
	binary.BigEndian.PutUint16(be[:], unix.ETH_P_ALL)
	all := binary.NativeEndian.Uint16(be[:])
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index}); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Next waits for the next packet. The error is ctx's when it ends first.
func (c *Capture) Next(ctx context.Context) (Packet, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Packet{}, c.host.wrap(err)
		}
		p, err := c.next(ctx)
		if err == nil {
			return p, nil
		}
		// An expired deadline may also be the late work of an earlier ctx.
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return Packet{}, c.host.wrap(err)
		}
	}
}

// next waits for a packet with a deadline that expires when ctx ends.
func (c *Capture) next(ctx context.Context) (Packet, error) {
	if err := c.file.SetReadDeadline(time.Time{}); err != nil {
		return Packet{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.file.SetReadDeadline(time.Unix(1, 0)) })()
	var p Packet
	var got error
	buf := make([]byte, 64<<10+18)
	err := c.raw.Read(func(fd uintptr) bool {
		n, from, err := unix.Recvfrom(int(fd), buf, 0)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			return false
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok {
			p.Outgoing = ll.Pkttype == unix.PACKET_OUTGOING
		}
		if err == nil {
			p.Frame = bytes.Clone(buf[:n])
		}
		got = err
		return true
	})
	return p, firstOf(err, got)
}

// Collect returns the packets that come until ctx ends or there are n of
// them; n below 1 sets no limit. That ctx ended is no error.
func (c *Capture) Collect(ctx context.Context, n int) ([]Packet, error) {
	var all []Packet
	for n < 1 || len(all) < n {
		p, err := c.Next(ctx)
		if ctx.Err() != nil && err != nil {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Close ends the recording.
func (c *Capture) Close() error {
	c.host.lab.untrack(c)
	return c.file.Close()
}
