package sim

import (
	"net/netip"
	"testing"
)

func TestHostHasLoopback(t *testing.T) {
	eth0 := Interface{Name: "eth0", Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.101/24")}}
	lo := Interface{Name: "lo", Addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.53/8")}}
	for name, tc := range map[string]struct {
		given []Interface
		want  map[string]string // the first address of each
	}{
		"by itself":      {nil, map[string]string{"lo": "127.0.0.1/8"}},
		"beside others":  {[]Interface{eth0}, map[string]string{"lo": "127.0.0.1/8", "eth0": "192.168.1.101/24"}},
		"unless it came": {[]Interface{eth0, lo}, map[string]string{"lo": "127.0.0.53/8", "eth0": "192.168.1.101/24"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := New(Config{Interfaces: tc.given}).cfg.Interfaces
			if len(got) != len(tc.want) {
				t.Errorf("interfaces %v, want %v", got, tc.want)
			}
			for _, i := range got {
				if i.Addrs[0].String() != tc.want[i.Name] {
					t.Errorf("%s has %v, want %s", i.Name, i.Addrs, tc.want[i.Name])
				}
			}
		})
	}
}

func TestHostKeepsNothingOfItsConfig(t *testing.T) {
	first, later := netip.MustParsePrefix("192.168.1.101/24"), netip.MustParsePrefix("10.0.0.1/8")
	cfg := Config{
		Interfaces: []Interface{{Name: "eth0", Addrs: []netip.Prefix{first}}},
		Routes:     []Route{{To: first}},
	}
	h := New(cfg)
	cfg.Interfaces[0].Addrs[0], cfg.Routes[0].To = later, later
	if h.cfg.Interfaces[1].Addrs[0] != first || h.cfg.Routes[0].To != first {
		t.Errorf("the host changed with the Config that it was made from: %+v", h.cfg)
	}
}

// TestFirewallsOfOneHost: two connections to a host see the same tables, and
// closing one leaves the other.
func TestFirewallsOfOneHost(t *testing.T) {
	h := New(Config{})
	one, two := h.dial(), h.dial()
	if err := one.Commit(t.Context(), furnishing()); err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := two.Read(t.Context(), everything)
	if err != nil || len(s.Program.Tables) != 1 {
		t.Errorf("%+v, %v; want the table", s, err)
	}
	if n, _ := New(Config{}).dial().Generation(t.Context()); n != 1 {
		t.Errorf("another host is in generation %d, want 1", n)
	}
}
