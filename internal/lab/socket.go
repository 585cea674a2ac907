//go:build linux

package lab

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

// Listen opens a listening TCP socket inside the host. network is "tcp"; the
// address says the family, and port 0 lets the kernel choose. The listener
// may be used from any goroutine and is closed with the lab at the latest.
func (h *Host) Listen(ctx context.Context, network string, at netip.AddrPort) (net.Listener, error) {
	var l net.Listener
	err := h.Do(func() error {
		var err error
		var lc net.ListenConfig
		l, err = lc.Listen(ctx, exact(network, at), at.String())
		return err
	})
	if err != nil {
		return nil, h.wrap(err)
	}
	return l, h.lab.track(l)
}

// ListenPacket opens a socket for datagrams inside the host. network is
// "udp". The rest is as with Listen.
func (h *Host) ListenPacket(ctx context.Context, network string, at netip.AddrPort) (*net.UDPConn, error) {
	var c net.PacketConn
	err := h.Do(func() error {
		var err error
		var lc net.ListenConfig
		c, err = lc.ListenPacket(ctx, exact(network, at), at.String())
		return err
	})
	if err != nil {
		return nil, h.wrap(err)
	}
	u, ok := c.(*net.UDPConn)
	if !ok {
		_ = c.Close()
		return nil, h.wrap(net.UnknownNetworkError(network))
	}
	return u, h.lab.track(u)
}

// Dial connects from inside the host. network is "tcp" or "udp"; from is the
// own address and port, the zero AddrPort leaves them to the kernel. The
// connection is closed with the lab at the latest.
func (h *Host) Dial(ctx context.Context, network string, from, to netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	switch {
	case !from.IsValid():
	case strings.HasPrefix(network, "udp"):
		d.LocalAddr = net.UDPAddrFromAddrPort(from)
	default:
		d.LocalAddr = net.TCPAddrFromAddrPort(from)
	}
	var c net.Conn
	// An address without a name is dialled by the calling goroutine itself,
	// which is what keeps the socket inside.
	err := h.Do(func() error {
		var err error
		c, err = d.DialContext(ctx, exact(network, to), to.String())
		return err
	})
	if err != nil {
		return nil, h.wrap(err)
	}
	return c, h.lab.track(c)
}

// Ask dials, sends one text, and returns the first thing that comes back, at
// most 64 KiB: with Echo on the other side, the text itself. What may block
// ends with ctx.
func (h *Host) Ask(ctx context.Context, network string, to netip.AddrPort, text string) (string, error) {
	c, err := h.Dial(ctx, network, netip.AddrPort{}, to)
	if err != nil {
		return "", err
	}
	defer h.lab.untrack(c)
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if _, err := c.Write([]byte(text)); err != nil {
		return "", h.wrap(firstOf(ctx.Err(), err))
	}
	buf := make([]byte, 64<<10)
	n, err := c.Read(buf)
	if err != nil {
		return "", h.wrap(firstOf(ctx.Err(), err))
	}
	return string(buf[:n]), nil
}

// exact pins the network to the address's family: without it Go would take
// "tcp" at 0.0.0.0 for both families.
func exact(network string, a netip.AddrPort) string {
	if network != "tcp" && network != "udp" {
		return network
	}
	if a.Addr().Is4() {
		return network + "4"
	}
	return network + "6"
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
