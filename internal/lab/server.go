//go:build linux

package lab

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
)

// Server is a service that runs inside a host. See Host.Echo and Host.Serve.
type Server struct {
	lab    *Lab
	socket io.Closer
	addr   netip.AddrPort
	wg     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{} // nil after Close
	peers []netip.AddrPort
}

// Echo runs a service that sends back what it gets. network is "tcp" or
// "udp"; port 0 lets the kernel choose. It runs until it or the lab is closed.
func (h *Host) Echo(network string, at netip.AddrPort) (*Server, error) {
	if network == "udp" {
		return h.echoUDP(at)
	}
	return h.Serve(network, at, func(c net.Conn) { _, _ = io.Copy(c, c) })
}

// Serve runs a TCP service: handle is called for each connection in a
// goroutine of its own, and the connection is closed when it returns. The
// service runs until it or the lab is closed, which closes the connections
// too: handle must return when its connection fails.
func (h *Host) Serve(network string, at netip.AddrPort, handle func(net.Conn)) (*Server, error) {
	l, err := h.Listen(context.Background(), network, at)
	if err != nil {
		return nil, err
	}
	h.lab.untrack(l) // the server is tracked instead
	s := &Server{lab: h.lab, socket: l, conns: make(map[net.Conn]struct{})}
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		s.addr = a.AddrPort()
	}
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !s.admit(c) {
				_ = c.Close()
				return
			}
			s.wg.Go(func() {
				defer s.dismiss(c)
				handle(c)
			})
		}
	})
	return s, h.lab.track(s)
}

func (h *Host) echoUDP(at netip.AddrPort) (*Server, error) {
	c, err := h.ListenPacket(context.Background(), "udp", at)
	if err != nil {
		return nil, err
	}
	h.lab.untrack(c)
	s := &Server{lab: h.lab, socket: c, conns: make(map[net.Conn]struct{})}
	if a, ok := c.LocalAddr().(*net.UDPAddr); ok {
		s.addr = a.AddrPort()
	}
	s.wg.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, peer, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			s.note(peer)
			_, _ = c.WriteToUDPAddrPort(buf[:n], peer) // refused answers are the test's affair
		}
	})
	return s, h.lab.track(s)
}

// Addr is the service's address, with the port that the kernel chose.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Peers are the addresses that connected (TCP) or sent a datagram (UDP), in
// order, as the service saw them: after any NAT on the way. Who asks is on the list
// when Ask returns; after a mere Connect it may take a moment.
func (s *Server) Peers() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]netip.AddrPort(nil), s.peers...)
}

// Close ends the service and its connections and waits for both.
func (s *Server) Close() error {
	s.mu.Lock()
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	s.lab.untrack(s)
	_ = s.socket.Close()
	for c := range conns {
		_ = c.Close()
	}
	s.wg.Wait()
	return nil
}

// admit notes a new connection; it refuses one that comes after Close.
func (s *Server) admit(c net.Conn) bool {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		s.note(a.AddrPort())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) dismiss(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Server) note(peer netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers = append(s.peers, netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()))
}
