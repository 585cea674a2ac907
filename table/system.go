package table

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// lookupBudget is how long a Resolver of System waits for DNS altogether, so
// that a listing on a host without DNS ends: addresses after that stay numbers.
// lookupLimit is how long it waits for one answer.
const (
	lookupBudget = 30 * time.Second
	lookupLimit  = 5 * time.Second
)

// System is the names that this machine knows: ports from /etc/services, hosts
// from /etc/hosts and reverse DNS, networks from /etc/networks, as iptables -L
// without -n asks for them. The files are read once, when they are first needed.
// It waits for DNS 5 seconds for an address and 30 altogether. Any number of
// goroutines may use it.
func System() Resolver {
	return &system{
		services: "/etc/services", networks: "/etc/networks",
		lookup: (&net.Resolver{PreferGo: true}).LookupAddr,
		budget: lookupBudget,
	}
}

type system struct {
	services, networks string // files
	lookup             func(ctx context.Context, addr string) ([]string, error)

	once  sync.Once
	ports map[string]string     // "22/tcp"
	nets  map[netip.Addr]string // by first address

	mu     sync.Mutex
	budget time.Duration // left for DNS
}

// load reads the files; one that is not there has no names.
func (s *system) load() {
	s.ports, s.nets = map[string]string{}, map[netip.Addr]string{}
	lines(s.services, func(words []string) {
		if _, taken := s.ports[words[1]]; !taken {
			s.ports[words[1]] = words[0]
		}
	})
	lines(s.networks, func(words []string) {
		if a, err := netip.ParseAddr(words[1]); err == nil && s.nets[a] == "" {
			s.nets[a] = words[0]
		}
	})
}

// lines calls f for each line of a file that has two words or more, comments
// left out.
func lines(path string, f func(words []string)) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	for s := bufio.NewScanner(file); s.Scan(); {
		text, _, _ := strings.Cut(s.Text(), "#")
		if words := strings.Fields(text); len(words) >= 2 {
			f(words)
		}
	}
}

// Service looks in /etc/services.
func (s *system) Service(_ context.Context, port uint16, p nf.Protocol) (string, bool) {
	s.once.Do(s.load)
	name, ok := s.ports[strconv.Itoa(int(port))+"/"+p.String()]
	return name, ok
}

// Host asks for a host's name, then for a network's.
func (s *system) Host(ctx context.Context, addr string) (string, bool) {
	s.once.Do(s.load)
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return "", false
	}
	if name, ok := s.reverse(ctx, addr); ok {
		return name, true
	}
	name, ok := s.nets[a]
	return name, ok
}

// reverse asks /etc/hosts and DNS, while the budget lasts.
func (s *system) reverse(ctx context.Context, addr string) (string, bool) {
	s.mu.Lock()
	limit := min(lookupLimit, s.budget)
	s.mu.Unlock()
	if limit <= 0 {
		return "", false
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	found, err := s.lookup(ctx, addr)
	s.mu.Lock()
	s.budget -= time.Since(start)
	s.mu.Unlock()
	if err != nil || len(found) == 0 {
		return "", false
	}
	return strings.TrimSuffix(found[0], "."), true
}
