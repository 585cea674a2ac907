package sim

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Config describes a host. The zero value has lo, with 127.0.0.1 and ::1.
type Config struct {
	// Interfaces are the host's, beside lo, which is there unless one of them has
	// that name.
	Interfaces []Interface

	// Routes are those that the interfaces' own networks do not give.
	Routes []Route

	// Forward says that the host is a router: net.ipv4.ip_forward and
	// net.ipv6.conf.all.forwarding.
	Forward bool

	// Now is where the host's clock stands at first. The zero value is the zero time;
	// the host never looks at the machine's clock, only Advance moves it.
	Now time.Time
}

// Interface is one of the host's, with its addresses and the networks they are on.
type Interface struct {
	// Name is the device's, as -i and -o take it: at most 15 bytes.
	Name string

	// Addrs are the device's addresses, each with the length of its network's
	// prefix. None: the device has no address.
	Addrs []netip.Prefix
}

// Route is a route; those to the interfaces' own networks need not be given.
type Route struct {
	// To is the network that is reached this way; a prefix of length 0 makes a
	// default route.
	To netip.Prefix

	// Via is the gateway. The zero value means that To is on the link itself.
	Via netip.Addr

	// Dev is the interface. Empty: the one whose network Via is in.
	Dev string
}

// Host is a machine with its firewalls. Any goroutine may use it.
type Host struct {
	cfg Config

	mu      sync.Mutex // held by whoever makes the next state
	state   *state     // never changed once it is here
	watches map[*watch]bool
}

// New makes a host without any tables. It keeps no part of cfg.
func New(cfg Config) *Host {
	own := cfg
	own.Routes = slices.Clone(cfg.Routes)
	own.Interfaces = nil
	if !slices.ContainsFunc(cfg.Interfaces, func(i Interface) bool { return i.Name == "lo" }) {
		own.Interfaces = append(own.Interfaces, loopback())
	}
	for _, i := range cfg.Interfaces {
		i.Addrs = slices.Clone(i.Addrs)
		own.Interfaces = append(own.Interfaces, i)
	}
	return &Host{cfg: own, state: &state{generation: 1}}
}

func loopback() Interface {
	return Interface{Name: "lo", Addrs: []netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 8),
		netip.PrefixFrom(netip.IPv6Loopback(), 128),
	}}
}

// now is what the host holds; it does not change.
func (h *Host) now() *state {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}
