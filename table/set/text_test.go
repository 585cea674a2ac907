package set

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestElementText(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.9")
	for want, e := range map[string]Element{
		"10.0.0.1":                   Net(a),
		"10.0.0.0/24":                Net(netip.MustParsePrefix("10.0.0.7/24")),
		"10.0.0.1-10.0.0.9":          Range(a, b),
		"0.0.0.0/0":                  Net(netip.MustParsePrefix("0.0.0.0/0")),
		"192.0.2.1":                  Net(netip.MustParseAddr("::ffff:192.0.2.1")),
		"2001:db8::/32":              Net(netip.MustParsePrefix("2001:db8::/32")),
		"2001:db8::1,tcp,443":        Join(Net(netip.MustParseAddr("2001:db8::1")), Proto(nf.TCP), Port(443)),
		"10.0.0.0/8,0x00000007,eth0": Join(Net(netip.MustParsePrefix("10.0.0.0/8")), Mark(7), Iface("eth0")),
		"254,65535":                  Join(Proto(254), Port(65535)),
	} {
		if got := e.String(); got != want || e.Err() != nil {
			t.Errorf("%q, %v, want %q", got, e.Err(), want)
		}
		key := e.Key()
		back, err := ParseElement(want, key)
		if err != nil || back != e {
			t.Errorf("%q comes back as %v, %v", want, back, err)
		}
	}
}

func TestBadElements(t *testing.T) {
	for want, e := range map[string]Element{
		"nothing given":   {},
		"netip.Prefix":    Net(netip.Prefix{}),
		"netip.Addr":      Net(netip.Addr{}),
		"prefix":          Net(nf.Masked(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("255.0.255.0"))),
		"backward":        Range(netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.1")),
		"two families":    Join(Net(netip.MustParseAddr("10.0.0.1")), Net(netip.MustParseAddr("::1"))),
		"no interface":    Iface("a b"),
		"one to three":    Join(Port(1), Port(2), Port(3), Port(4)),
		"one of Nets":     Join(Net(netip.MustParsePrefix("10.0.0.0/8")), Net(netip.MustParsePrefix("10.0.0.0/8"))),
		"68 years":        Port(1).For(-1),
		"quotes":          Port(1).Comment(`"`),
		"up to 128 bytes": Port(1).Comment(strings.Repeat("x", 129)),
	} {
		if e.Err() == nil || !strings.Contains(e.Err().Error(), want) {
			t.Errorf("%v: %v, want %q", e, e.Err(), want)
		}
	}
	if d, ok := Port(1).For(1500 * time.Millisecond).Timeout(); !ok || d != 2*time.Second {
		t.Error(d, ok)
	}
}

// FuzzLines: what is read is written, and read again as the same.
func FuzzLines(f *testing.F) {
	for _, s := range [][2]string{
		{"bans hash:net family inet timeout 600 counters comment", `10.0.0.0/24 timeout 3600 packets 1 bytes 60 comment "x y"`},
		{"s hash:ip,proto,port keep disjoint maxelem 5", "2001:db8::1,udp,53 expires 20"},
		{"s hash:net,mark,iface hashsize 1024", "10.0.0.1-10.0.0.9,0x7,eth0 timeout 0"},
		{`s hash:port`, `65535 comment ""`},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, create, add string) {
		words, ok := Words(create)
		s, keep, err := ParseCreate(words, nf.IPv4)
		if !ok || err != nil {
			return
		}
		line := string(s.AppendCreate(nil, nf.IPv4, keep))
		words, ok = Words(strings.TrimPrefix(line, "create "))
		if again, k, err := ParseCreate(words, nf.IPv4); !ok || err != nil || again != s || k != keep {
			t.Errorf("%q: %+v comes back as %+v, %v", line, s, again, err)
		}
		words, ok = Words(add)
		e, err := s.ParseAdd(words)
		if !ok || err != nil {
			return
		}
		if !s.Counters {
			e = e.WithCounters(nf.Counters{})
		}
		line = string(s.AppendAdd(nil, e))
		words, ok = Words(strings.TrimPrefix(line, "add "+s.Name+" "))
		if again, err := s.ParseAdd(words); !ok || err != nil || again != e {
			t.Errorf("%q: %+v comes back as %+v, %v", line, e, again, err)
		}
		c := NewContent(s)
		if err := c.Fill([]Element{e, e}); err != nil || c.Len() != 1 || !c.Covers(e) {
			t.Errorf("%v: %d, %v", e, c.Len(), err)
		}
	})
}
