//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
)

// The mail host's address and the administrator's.
const (
	hostIP  = "192.168.1.101"
	adminIP = "192.168.1.102"
)

// network is the two hosts.
type network struct {
	lab         *lab.Lab
	host, admin *lab.Host
}

// newNetwork wires them up and starts the mail host's servers, which say back what
// they are told.
func newNetwork(ctx context.Context) (n *network, err error) {
	n = &network{}
	if n.lab, err = lab.New(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.lab.Close())
		}
	}()
	if n.host, err = n.lab.Host("mailhost"); err != nil {
		return nil, err
	}
	if n.admin, err = n.lab.Host("administrator"); err != nil {
		return nil, err
	}
	if err = n.lab.Wire(n.host.End("eth0", hostIP+"/24"), n.admin.End("eth0", adminIP+"/24")); err != nil {
		return nil, err
	}
	for _, port := range ports {
		if _, err = n.host.Echo("tcp", at(port)); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// ports are those that servers listen on.
var ports = [...]uint16{22, 25, 80}

func at(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(hostIP), port)
}

// story is what happens, and what is told of it.
type story struct {
	*network
	w       io.Writer
	session net.Conn // the administrator's
	answers *bufio.Reader
	ends    time.Time
}

// tell prints a line.
func (s *story) tell(what, result string) { fmt.Fprintf(s.w, "  %-42s %s\n", what, result) }

// process runs this program on the mail host. With try it is alive when process
// returns, until it is killed (SIGKILL), else it has ended.
func (s *story) process(args ...string) (*lab.Process, error) {
	cmd := exec.Command("/proc/self/exe", args...)
	var said strings.Builder
	cmd.Stderr = &said
	if args[0] != "try" {
		p, err := s.host.Start(cmd)
		if err == nil {
			err = p.Wait()
		}
		if err != nil {
			return nil, errors.New(strings.TrimSpace(said.String()))
		}
		return p, nil
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p, err := s.host.Start(cmd)
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "tried\n" {
		_ = p.Close()
		return nil, fmt.Errorf("it says %q: %w", line, err)
	}
	return p, nil
}

// open tells what the administrator sees of the ports.
func (s *story) open(ctx context.Context) error {
	for _, port := range ports {
		state, err := s.admin.Connect(ctx, "tcp", at(port))
		if err != nil {
			return err
		}
		s.tell(fmt.Sprintf("port %d:", port), state.String())
	}
	return nil
}

// talk tells whether the administrator's session answers within a time.
func (s *story) talk(what string, patience time.Duration) error {
	if err := s.session.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	fmt.Fprintln(s.session, what)
	var err error
	for line := ""; err == nil && line != what+"\n"; {
		line, err = s.answers.ReadString('\n')
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.tell("the administrator's session:", "hangs")
	case err != nil:
		return err
	default:
		s.tell("the administrator's session:", "answers")
	}
	return nil
}

// before is the day as it begins.
func (s *story) before(ctx context.Context) (err error) {
	if _, err := s.process("apply", "first"); err != nil {
		return err
	}
	fmt.Fprintf(s.w, "The mail host %s as its administrator at %s finds it:\n", hostIP, adminIP)
	if s.session, err = s.admin.Dial(ctx, "tcp", netip.AddrPort{}, at(22)); err != nil {
		return err
	}
	s.answers = bufio.NewReader(s.session)
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.talk("ls", time.Second)
}

// mistake is a ruleset that forgets port 22.
func (s *story) mistake(ctx context.Context) error {
	fmt.Fprintf(s.w, "\nA ruleset without port 22 is tried for %v, and the process is killed:\n", badTime)
	p, err := s.process("try", "bad", badTime.String())
	if err != nil {
		return err
	}
	s.ends = time.Now().Add(badTime)
	if err := p.Close(); err != nil { // SIGKILL
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.talk("pwd", 200*time.Millisecond)
}

// back is when its time is up.
func (s *story) back(ctx context.Context) error {
	time.Sleep(time.Until(s.ends.Add(50 * time.Millisecond)))
	fmt.Fprintf(s.w, "\nNobody confirmed it, and its time is up:\n")
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.talk("whoami", 5*time.Second); err != nil {
		return err
	}
	result := "done"
	if _, err := s.process("confirm"); err != nil {
		result = "too late"
	}
	s.tell("another process confirms it:", result)
	return nil
}

// meant is the ruleset that was meant, and stays.
func (s *story) meant(ctx context.Context) error {
	fmt.Fprintf(s.w, "\nThe ruleset that was meant is tried for %v, and confirmed by another process:\n", goodTime)
	p, err := s.process("try", "good", goodTime.String())
	if err != nil {
		return err
	}
	ends := time.Now().Add(goodTime)
	if err := p.Close(); err != nil { // SIGKILL
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	if _, err := s.process("confirm"); err != nil {
		return err
	}
	time.Sleep(time.Until(ends.Add(50 * time.Millisecond)))
	fmt.Fprintf(s.w, "\nWhen that time is up, too:\n")
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.talk("exit", time.Second)
}
