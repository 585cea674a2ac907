//go:build linux

package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"
)

// Unreachable is the ICMP error that answered a ping.
type Unreachable struct {
	// ICMP says what came back and from whom.
	ICMP ICMP
}

// Error tells type, code and sender.
func (u *Unreachable) Error() string {
	return fmt.Sprintf("ICMP type %d code %d from %s", u.ICMP.Type, u.ICMP.Code, u.ICMP.From)
}

// Ping sends one ICMP echo request, or ICMPv6 if the address is one, and
// waits for the reply, DefaultWait at most. The error is ErrNoAnswer after
// silence, *Unreachable after an ICMP error.
func (h *Host) Ping(ctx context.Context, to netip.Addr) error {
	network, request, reply := "ip4:icmp", byte(8), byte(0)
	if to.Is6() {
		network, request, reply = "ip6:ipv6-icmp", 128, 129
	}
	var c *net.IPConn
	err := h.Do(func() error {
		var err error
		c, err = net.ListenIP(network, nil)
		return err
	})
	if err != nil {
		return h.wrap(err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if err := c.SetDeadline(time.Now().Add(DefaultWait)); err != nil {
		return h.wrap(err)
	}
	if err := ctx.Err(); err != nil {
		return h.wrap(err)
	}
	id := uint16(rand.Uint32()) // tells this ping from others
	if _, err := c.WriteToIP(echo(request, id), &net.IPAddr{IP: to.AsSlice()}); err != nil {
		return h.wrap(fmt.Errorf("ping %s: %w", to, err))
	}
	if err := awaitEcho(c, reply, id); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = firstOf(ctx.Err(), ErrNoAnswer)
		}
		return h.wrap(fmt.Errorf("ping %s: %w", to, err))
	}
	return nil
}

// echo is an echo request. The kernel computes ICMPv6's checksum itself.
func echo(kind byte, id uint16) []byte {
	m := make([]byte, 16)
	m[0] = kind
	binary.BigEndian.PutUint16(m[4:], id)
	binary.BigEndian.PutUint16(m[6:], 1)
	copy(m[8:], "gatehous")
	var sum uint32
	for i := 0; i < len(m); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(m[i:]))
	}
	sum = sum&0xffff + sum>>16
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(m[2:], ^uint16(sum))
	return m
}

// awaitEcho reads until the reply to id, or an error about it, comes.
func awaitEcho(c *net.IPConn, reply byte, id uint16) error {
	buf := make([]byte, 2048)
	for {
		n, peer, err := c.ReadFromIP(buf)
		if err != nil {
			return err
		}
		m := buf[:n]
		if len(m) < 8 { // shorter than an ICMP header
			continue
		}
		if m[0] == reply && binary.BigEndian.Uint16(m[4:]) == id {
			return nil
		}
		if about, ok := quoted(m, reply == 129); ok && len(about) >= 8 && binary.BigEndian.Uint16(about[4:]) == id {
			from, _ := netip.AddrFromSlice(peer.IP)
			return &Unreachable{ICMP{From: from.Unmap(), Type: m[0], Code: m[1]}}
		}
	}
}

// quoted is the ICMP message that an ICMP error quotes behind its own header
// and the quoted IP header.
func quoted(m []byte, v6 bool) ([]byte, bool) {
	if len(m) < 8 {
		return nil, false
	}
	inner := m[8:]
	if v6 {
		isError := m[0] >= 1 && m[0] <= 4
		if !isError || len(inner) < 40 {
			return nil, false
		}
		return inner[40:], true
	}
	isError := m[0] == 3 || m[0] == 11 || m[0] == 12
	if !isError || len(inner) < 20 {
		return nil, false
	}
	length := int(inner[0]&0xf) * 4
	if length > len(inner) {
		return nil, false
	}
	return inner[length:], true
}
