package nft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/mdlayher/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// bufferSize is how much one read takes. The kernel fills at most 32 KiB, and
// that only for a socket that has been read with as much before.
const bufferSize = 64 << 10

// socket is one netlink socket. The library opens it, in its namespace, and
// gives it to the runtime's poller; sending and receiving are done here, since
// a batch goes out as it is, and its answers are many and must not be waited
// for. One user at a time: see take.
type socket struct {
	conn   *netlink.Conn
	raw    syscall.RawConn
	turn   chan struct{} // holds the right to use the socket
	closed chan struct{}
	once   atomic.Bool
	seq    uint32
	buf    []byte
	left   uint32 // the sequence number of a dump that was not read to its end; 0: none

	faults *faults // for tests
}

// faults lets tests make a transport go wrong. Its zero value does nothing.
type faults struct {
	send    func(b []byte) error                   // before anything is sent
	receive func(b []byte, err error) (int, error) // after something was received
	signal  func() bool                            // instead of receiving: a signal came
}

// errUnasked says that the kernel answered what was not asked. What was asked may not be
// answered in full then.
var errUnasked = errors.New("netlink: an answer to something that was not asked")

// open opens a socket in a namespace. A thread that is there already opens it
// where it stands, which needs no privilege; else the library does it on a
// thread that goes there, and that ends with its goroutine if it cannot be
// brought back.
func openSocket(ns netns.NsHandle) (*socket, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cfg := &netlink.Config{NetNS: int(ns)}
	if now, err := netns.Get(); err == nil {
		if now.Equal(ns) {
			cfg.NetNS = 0
		}
		now.Close()
	}
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, cfg)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	// Kernels without these answer with less; nothing depends on them.
	_ = conn.SetOption(netlink.ExtendedAcknowledge, true)
	_ = conn.SetOption(netlink.CapAcknowledge, true)
	raw, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	s := &socket{
		conn: conn, raw: raw, turn: make(chan struct{}, 1), closed: make(chan struct{}),
		buf: make([]byte, bufferSize),
	}
	return s, nil
}

// setBuffer sets a buffer's size, past the host's limit where that is allowed,
// and returns what it became.
func (s *socket) setBuffer(force, plain int, size int) (now int) {
	_ = s.raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, force, size) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, plain, size)
		}
		now, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, plain)
	})
	return now
}

// close ends the socket, and what waits on it, with fs.ErrClosed.
func (s *socket) close() error {
	if s.once.Swap(true) {
		return nil
	}
	close(s.closed)
	return s.conn.Close()
}

// take waits for the right to use the socket; release gives it back.
func (s *socket) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		return s.err(nil)
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return fs.ErrClosed
	}
}

func (s *socket) release() { <-s.turn }

// err is the error, or fs.ErrClosed where the socket is closed.
func (s *socket) err(err error) error {
	select {
	case <-s.closed:
		return fs.ErrClosed
	default:
		return err
	}
}

// next is n sequence numbers in a row that were not used of late, by the first;
// 0 is none.
func (s *socket) next(n int) uint32 {
	if s.seq > math.MaxUint32-uint32(n)-1 {
		s.seq = 0
	}
	seq := s.seq + 1
	s.seq += uint32(n)
	return seq
}

// bound ends reads on the socket when ctx does. The function that it returns
// must be called before the socket is used otherwise.
func (s *socket) bound(ctx context.Context) (free func()) {
	ran := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ran)
		_ = s.conn.SetReadDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-ran
			_ = s.conn.SetReadDeadline(time.Time{})
		}
	}
}

// send sends bytes to the kernel, which has worked them off when it returns.
func (s *socket) send(b []byte) error {
	if s.faults != nil && s.faults.send != nil {
		if err := s.faults.send(b); err != nil {
			return err
		}
	}
	var sent error
	err := s.raw.Write(func(fd uintptr) bool {
		for {
			sent = unix.Sendto(int(fd), b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
			if !errors.Is(sent, unix.EINTR) {
				return !errors.Is(sent, unix.EAGAIN)
			}
		}
	})
	if err == nil {
		err = sent
	}
	return s.err(err)
}

// receive waits for a datagram of the kernel. It is valid until the next.
func (s *socket) receive(ctx context.Context) ([]byte, error) {
	var n int
	var got error
	err := s.raw.Read(func(fd uintptr) bool {
		n, got = s.read(int(fd))
		return !errors.Is(got, unix.EAGAIN)
	})
	switch {
	case err == nil:
		err = got
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = context.DeadlineExceeded
	}
	if err != nil {
		return nil, s.err(err)
	}
	return s.buf[:n], nil
}

// poll is receive without waiting: unix.EAGAIN when there is nothing.
func (s *socket) poll() ([]byte, error) {
	var n int
	var got error
	if err := s.raw.Control(func(fd uintptr) { n, got = s.read(int(fd)) }); err != nil {
		return nil, s.err(err)
	}
	if got != nil {
		return nil, got
	}
	return s.buf[:n], nil
}

// read takes one datagram that the kernel sent; those of others it drops.
func (s *socket) read(fd int) (int, error) {
	for {
		if s.faults != nil && s.faults.signal != nil && s.faults.signal() {
			continue // as after EINTR
		}
		n, from, err := unix.Recvfrom(fd, s.buf, unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		if s.faults != nil && s.faults.receive != nil && !errors.Is(err, unix.EAGAIN) {
			n, err = s.faults.receive(s.buf[:max(n, 0)], err)
		}
		switch sa, ok := from.(*unix.SockaddrNetlink); {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case ok && sa.Pid != 0:
		case n == 0, n > len(s.buf):
			return 0, wire.ErrShort
		default:
			return n, nil
		}
	}
}

// ask sends a request and hands every message of the answer to handle, which
// must not keep it. The errno of an answer that is an error is returned.
func (s *socket) ask(ctx context.Context, request func(seq uint32) []byte, handle func(wire.Message) error) error {
	defer s.bound(ctx)()
	if err := s.settle(ctx); err != nil {
		return err
	}
	seq := s.next(1)
	req := request(seq)
	if err := s.send(req); err != nil {
		return err
	}
	if wire.IsDump(req) {
		s.left = seq
	}
	for {
		b, err := s.receive(ctx)
		if err != nil {
			return err
		}
		for {
			m, rest, ok, err := wire.Next(b)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			b = rest
			switch d := int32(m.Seq - seq); {
			case d < 0: // to a question that was given up
				continue
			case d > 0:
				return errUnasked
			}
			if done, err := s.answer(m, handle); done || err != nil {
				return err
			}
		}
	}
}

// answer deals with one message of an answer; done is true for the last.
func (s *socket) answer(m wire.Message, handle func(wire.Message) error) (done bool, err error) {
	switch m.Type {
	case wire.TypeDone, wire.TypeError:
		s.left = 0
		if n := m.Errno(); n != 0 {
			return true, unix.Errno(n)
		}
		return true, nil
	}
	return m.Flags&unix.NLM_F_MULTI == 0, handle(m)
}

// settle reads what is left of a dump that was not read to its end: the kernel
// begins no other before.
func (s *socket) settle(ctx context.Context) error {
	for s.left != 0 {
		b, err := s.receive(ctx)
		if err != nil {
			return err
		}
		for {
			m, rest, ok, err := wire.Next(b)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			b = rest
			if m.Seq == s.left && (m.Type == wire.TypeDone || m.Type == wire.TypeError) {
				s.left = 0
			}
		}
	}
	return nil
}
