//go:build linux

package lab

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// asked is a probe under way: a non-blocking socket that waits for an answer.
type asked struct {
	fd      int
	udp     bool
	events  int16
	until   time.Time
	outcome Outcome
}

// ask opens the socket and sends the question.
func ask(p Probe) (*asked, error) {
	if !p.To.IsValid() {
		return nil, syscall.EDESTADDRREQ
	}
	a := &asked{events: unix.POLLOUT}
	kind := unix.SOCK_STREAM
	switch p.Network {
	case "", "tcp":
	case "udp":
		a.udp, a.events, kind = true, unix.POLLIN, unix.SOCK_DGRAM
	default:
		return nil, syscall.EPROTONOSUPPORT
	}
	family := unix.AF_INET6
	if p.To.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	a.fd = fd
	if err := a.send(p, family); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	wait := p.Wait
	if wait == 0 {
		wait = DefaultWait
	}
	a.until = time.Now().Add(wait)
	return a, nil
}

func (a *asked) send(p Probe, family int) error {
	// The error queue tells an ICMP error from a reset, which share
	// ECONNREFUSED. It also gets the error that comes back while connect
	// still holds the socket: without it connect would go on as if nothing
	// had come.
	level, option := unix.IPPROTO_IP, unix.IP_RECVERR
	if family == unix.AF_INET6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	if err := unix.SetsockoptInt(a.fd, level, option, 1); err != nil {
		return err
	}
	if !a.udp { // end by a reset: nothing lingers, and the port is free again
		if err := unix.SetsockoptLinger(a.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
			return err
		}
	}
	if p.From.IsValid() {
		if err := unix.SetsockoptInt(a.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
		if err := unix.Bind(a.fd, sockaddr(p.From)); err != nil {
			return err
		}
	}
	if err := unix.Connect(a.fd, sockaddr(p.To)); err != nil && err != unix.EINPROGRESS {
		return a.refused(err)
	}
	if !a.udp {
		return nil
	}
	payload := p.Payload
	if payload == "" {
		payload = "?"
	}
	if _, err := unix.Write(a.fd, []byte(payload)); err != nil {
		return a.refused(err)
	}
	return nil
}

// refused sorts an error of the asking call itself: some are an answer that
// came at once (over loopback, or a rule in OUTPUT), the rest mean that
// nothing was asked.
func (a *asked) refused(err error) error {
	switch err {
	case unix.ECONNREFUSED, unix.EPERM, unix.EACCES, unix.EHOSTUNREACH, unix.ECONNRESET:
		errno, _ := err.(syscall.Errno)
		a.conclude(errno)
		return nil
	}
	return err
}

// answered looks at what came in.
func (a *asked) answered() {
	errno := syscall.Errno(0)
	if n, err := unix.GetsockoptInt(a.fd, unix.SOL_SOCKET, unix.SO_ERROR); err == nil {
		errno = syscall.Errno(n)
	}
	if a.udp && errno == 0 {
		var b [1]byte
		if _, _, err := unix.Recvfrom(a.fd, b[:], 0); err == nil {
			a.outcome.State = Open
			return
		} else if e, ok := err.(syscall.Errno); ok && e != unix.EAGAIN {
			errno = e
		}
	}
	if !a.udp && errno == 0 {
		if _, err := unix.Getpeername(a.fd); err == nil {
			a.outcome.State = Open
			return
		}
	}
	a.conclude(errno)
}

// conclude makes an error the outcome, with the ICMP error behind it.
func (a *asked) conclude(errno syscall.Errno) {
	queued, icmp := a.queued()
	if errno == 0 {
		errno = queued
	}
	if errno == 0 {
		return // woken for nothing
	}
	a.outcome = Outcome{State: Filtered, Errno: errno, ICMP: icmp}
	// For TCP port unreachable is not what a closed port says but what a
	// firewall does.
	if errno == unix.ECONNREFUSED && (a.udp || icmp == ICMP{}) {
		a.outcome.State = Closed
	}
}

// queued reads the socket's error queue.
func (a *asked) queued() (syscall.Errno, ICMP) {
	var data, oob [512]byte
	_, n, _, _, err := unix.Recvmsg(a.fd, data[:], oob[:], unix.MSG_ERRQUEUE)
	if err != nil {
		return 0, ICMP{}
	}
	return parseQueued(oob[:n])
}

// parseQueued finds struct sock_extended_err, and behind it who sent the error
// (include/uapi/linux/errqueue.h).
func parseQueued(oob []byte) (syscall.Errno, ICMP) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, ICMP{}
	}
	for _, m := range messages {
		d := m.Data
		var from netip.Addr
		switch {
		case len(d) >= 16+8 && d[4] == unix.SO_EE_ORIGIN_ICMP: // struct sockaddr_in
			from = netip.AddrFrom4([4]byte(d[16+4 : 16+8]))
		case len(d) >= 16+24 && d[4] == unix.SO_EE_ORIGIN_ICMP6: // struct sockaddr_in6
			from = netip.AddrFrom16([16]byte(d[16+8 : 16+24]))
		default:
			continue
		}
		return syscall.Errno(binary.NativeEndian.Uint32(d)), ICMP{From: from, Type: d[5], Code: d[6]}
	}
	return 0, ICMP{}
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}
