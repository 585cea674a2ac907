//go:build linux

package lab

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// State says how a port answered, in nmap's words.
type State int

// The states of a port. The zero State is none of them.
const (
	// Open: the handshake came about (TCP), a datagram came back (UDP).
	Open State = iota + 1
	// Closed: a reset (TCP), or ICMP port unreachable (UDP).
	Closed
	// Filtered: no answer in time, or any other ICMP error.
	Filtered
)

// String is the state as nmap prints it: "open", "closed", "filtered".
func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case Closed:
		return "closed"
	case Filtered:
		return "filtered"
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// ICMP is an ICMP or ICMPv6 error that came back. The zero ICMP is none.
type ICMP struct {
	// From is who sent it.
	From netip.Addr
	// Type and Code are the numbers of the address's family.
	Type, Code uint8
}

// Outcome is how one Probe ended.
type Outcome struct {
	State State
	// Errno is what the socket said: ECONNREFUSED, EHOSTUNREACH …; 0 if the
	// port is open or nothing came back.
	Errno syscall.Errno
	// ICMP is the ICMP error that came back, if one did.
	ICMP ICMP
}

// Probe is a question to one port. To is needed, the rest may be zero.
type Probe struct {
	// Network is "tcp" or "udp". Empty is "tcp".
	Network string
	// From is the own address and port. The zero AddrPort, or port 0, leaves
	// them to the kernel.
	From netip.AddrPort
	// To is whom to ask.
	To netip.AddrPort
	// Wait is how long silence may last until the port counts as filtered.
	// 0 is DefaultWait.
	Wait time.Duration
	// Payload is what a UDP probe sends. Empty is "?".
	Payload string
}

// DefaultWait is how long a probe waits for an answer. Hosts of a lab answer
// within microseconds; a SYN is sent again only after a second.
const DefaultWait = 300 * time.Millisecond

// inFlight bounds the sockets open at a time: an untouched limit on files is
// 1,024.
const inFlight = 512

// Connect asks one port by a TCP connect, which is ended by a reset at once, or
// by one datagram ("udp").
func (h *Host) Connect(ctx context.Context, network string, to netip.AddrPort) (State, error) {
	out, err := h.Probe(ctx, Probe{Network: network, To: to})
	if err != nil {
		return 0, err
	}
	return out[0].State, nil
}

// Scan asks the ports first to last by TCP connect and returns the state of
// each, in order: a thousand filtered ports take a second.
func (h *Host) Scan(ctx context.Context, to netip.Addr, first, last uint16) ([]State, error) {
	var probes []Probe
	for p := int(first); p <= int(last); p++ {
		probes = append(probes, Probe{To: netip.AddrPortFrom(to, uint16(p))})
	}
	out, err := h.Probe(ctx, probes...)
	if err != nil {
		return nil, err
	}
	states := make([]State, len(out))
	for i, o := range out {
		states[i] = o.State
	}
	return states, nil
}

// Probe asks many ports at a time and returns their outcomes in order. A
// refused or silent port is an outcome; an error is what kept the question
// from being asked, a missing route for one.
func (h *Host) Probe(ctx context.Context, probes ...Probe) ([]Outcome, error) {
	out := make([]Outcome, 0, len(probes))
	err := h.Do(func() error {
		for len(out) < len(probes) {
			window := probes[len(out):min(len(probes), len(out)+inFlight)]
			some, err := probeWindow(ctx, window)
			if err != nil {
				return err
			}
			out = append(out, some...)
		}
		return nil
	})
	if err != nil {
		return nil, h.wrap(err)
	}
	return out, nil
}

// probeWindow asks as many ports as it may have sockets.
func probeWindow(ctx context.Context, probes []Probe) ([]Outcome, error) {
	all := make([]*asked, 0, len(probes))
	defer func() {
		for _, a := range all {
			_ = unix.Close(a.fd)
		}
	}()
	for _, p := range probes {
		a, err := ask(p)
		if err != nil {
			return nil, fmt.Errorf("probe %s: %w", p.To, err)
		}
		all = append(all, a)
	}
	for {
		open, err := pollAll(ctx, all)
		if err != nil {
			return nil, err
		}
		if !open {
			break
		}
	}
	out := make([]Outcome, len(all))
	for i, a := range all {
		out[i] = a.outcome
	}
	return out, nil
}

// pollAll waits a while for answers and says whether some are still out.
func pollAll(ctx context.Context, all []*asked) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	// The time is taken before the look, so that an answer that was there in
	// time is seen though this thread was not.
	now := time.Now()
	fds, of := []unix.PollFd(nil), []*asked(nil)
	wait := 50 * time.Millisecond
	for _, a := range all {
		if a.outcome.State == 0 {
			fds = append(fds, unix.PollFd{Fd: int32(a.fd), Events: a.events})
			of = append(of, a)
			wait = min(wait, a.until.Sub(now))
		}
	}
	if len(fds) == 0 {
		return false, nil
	}
	ms := max(0, int((wait+time.Millisecond-1)/time.Millisecond))
	if _, err := unix.Poll(fds, ms); err != nil && err != unix.EINTR {
		return false, err
	}
	for i, a := range of {
		if fds[i].Revents != 0 {
			a.answered()
		}
		if a.outcome.State == 0 && !now.Before(a.until) {
			a.outcome.State = Filtered
		}
	}
	return true, nil
}
