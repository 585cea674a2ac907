package table

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func machine(t *testing.T) *system {
	dir := t.TempDir()
	s := &system{services: filepath.Join(dir, "services"), networks: filepath.Join(dir, "networks"), budget: time.Minute}
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(s.services, "# comment 9/tcp\nsmtp\t25/tcp mail # 26/tcp\n\nfirst 53/udp\nsecond 53/udp\ndomain 53/tcp\nbroken\n")
	write(s.networks, "loopback 127.0.0.0\nshort 10\n")
	s.lookup = func(_ context.Context, addr string) ([]string, error) {
		switch addr {
		case "192.0.2.1":
			return []string{"mail.example.org.", "other.example.org."}, nil
		case "::1":
			return []string{"localhost"}, nil
		}
		return nil, errors.New("no such host")
	}
	return s
}

func TestSystemsServices(t *testing.T) {
	s := machine(t)
	for _, tc := range []struct {
		port  uint16
		proto nf.Protocol
		want  string
	}{
		{25, nf.TCP, "smtp"}, {25, nf.UDP, ""}, {26, nf.TCP, ""}, {9, nf.TCP, ""}, {53, nf.UDP, "first"}, {53, nf.TCP, "domain"},
	} {
		if got, ok := s.Service(t.Context(), tc.port, tc.proto); got != tc.want || ok != (tc.want != "") {
			t.Errorf("%d/%v: %q %v, want %q", tc.port, tc.proto, got, ok, tc.want)
		}
	}
}

func TestSystemsHosts(t *testing.T) {
	s := machine(t)
	for addr, want := range map[string]string{
		"192.0.2.1": "mail.example.org", "::1": "localhost", "127.0.0.0": "loopback", "192.0.2.2": "", "nonsense": "",
	} {
		if got, ok := s.Host(t.Context(), addr); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", addr, got, ok, want)
		}
	}
}

func TestSystemWithoutFiles(t *testing.T) {
	s := machine(t)
	s.services, s.networks = "/nonexistent/services", "/nonexistent/networks"
	if name, ok := s.Service(t.Context(), 25, nf.TCP); ok {
		t.Error(name)
	}
}

// A host whose DNS never answers is asked until the budget is used up.
func TestSystemsWaitIsBounded(t *testing.T) {
	s := machine(t)
	s.budget = 20 * time.Millisecond
	asked := 0
	s.lookup = func(ctx context.Context, _ string) ([]string, error) {
		asked++
		<-ctx.Done()
		return nil, ctx.Err()
	}
	start := time.Now()
	for range 1000 {
		if name, ok := s.Host(t.Context(), "192.0.2.1"); ok {
			t.Fatal(name)
		}
	}
	if took := time.Since(start); took > 5*time.Second || asked == 0 || asked > 10 {
		t.Error(took, asked)
	}
}
