package set

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// small is a range within 10.0.0.0/24.
func small(t *rapid.T) Element {
	lo := rapid.IntRange(0, 255).Draw(t, "lo")
	hi := rapid.IntRange(lo, min(255, lo+rapid.SampledFrom([]int{0, 1, 7, 100, 255}).Draw(t, "len"))).Draw(t, "hi")
	at := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}) }
	e := Range(at(lo), at(hi))
	if s := rapid.SampledFrom([]int{0, 60, 3600}).Draw(t, "timeout"); s > 0 {
		e = e.For(time.Duration(s) * time.Second)
	}
	return e
}

// TestMergedContent: whatever is added and removed, the addresses in a set are those
// that a plain table of addresses has, each for as long as the latest says that any
// element of it said, and no two elements overlap.
func TestMergedContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]Key{Nets, Tuple(Nets, Ports), Tuple(Ports, Nets)}).Draw(t, "key")
		c := NewContent(Set{Name: "s", Key: key})
		whole := func(e Element) Element {
			switch key {
			case Tuple(Nets, Ports):
				return with(Join(e, Port(80)), e)
			case Tuple(Ports, Nets):
				return with(Join(Port(80), e), e)
			}
			return e
		}
		var want [256]time.Duration // 0: not there; maxTimeout+1: for ever
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			e := whole(small(t))
			lo, hi := bounds(c, e)
			if rapid.Bool().Draw(t, "remove") {
				had := false
				for i := lo; i <= hi; i++ {
					had = had || want[i] > 0
					want[i] = 0
				}
				if c.Remove(e) != had {
					t.Fatalf("remove %v: not %v", e, had)
				}
			} else {
				exact := c.place(&e) != nil
				fresh := false
				for i := lo; i <= hi; i++ {
					fresh = fresh || want[i] == 0
					if exact || c.ends(&e) > want[i] {
						want[i] = c.ends(&e)
					}
				}
				if added, err := c.Add(e); err != nil || added != fresh {
					t.Fatalf("add %v: %v, %v, want %v", e, added, err, fresh)
				}
			}
			var got [256]time.Duration
			n, last := 0, -1
			for x := range c.All() {
				a, b := bounds(c, x)
				if a <= last || x.Fits(key, nf.IPv4) != nil {
					t.Fatalf("%v is out of place", x)
				}
				last = b
				n++
				for i := a; i <= b; i++ {
					got[i] = c.ends(&x)
				}
			}
			if got != want || n != c.Len() {
				t.Fatalf("after %v: %v\nwant %v", e, got, want)
			}
		}
	})
}

// with is e with the timeout of another.
func with(e, o Element) Element {
	e.timed, e.timeout = o.timed, o.timeout
	return e
}

// bounds are the last bytes of an element's first and last address.
func bounds(c *Content, e Element) (lo, hi int) {
	s := c.net[e.family]
	return int(e.lo[s.to-1]), int(e.hi[s.to-1])
}

// TestManyBlocks: what is put in in any order comes out in order.
func TestManyBlocks(t *testing.T) {
	for _, key := range []Key{Marks, Nets} {
		c := NewContent(Set{Name: "s", Key: key})
		const n = 5000
		for i := range n {
			k := uint32(i*7919%n) * 3
			e := Mark(k)
			if key == Nets {
				e = Net(netip.AddrFrom4([4]byte{byte(k >> 24), byte(k >> 16), byte(k >> 8), byte(k)}))
			}
			if added, err := c.Add(e); !added || err != nil {
				t.Fatal(added, err)
			}
			if added, _ := c.Add(e); added {
				t.Fatal("added twice")
			}
		}
		if c.Len() != n || !slices.IsSortedFunc(slices.Collect(c.All()), func(a, b Element) int { return strings.Compare(a.lo, b.lo) }) {
			t.Errorf("%d of %d, or out of order", c.Len(), n)
		}
		for e := range NewContentOf(c).All() {
			if !c.Remove(e) || c.Covers(e) {
				t.Fatal(e)
			}
		}
		if c.Len() != 0 {
			t.Errorf("%d are left", c.Len())
		}
	}
}

// NewContentOf is a copy, by way of Fill.
func NewContentOf(c *Content) *Content {
	out := NewContent(c.set)
	_ = out.Fill(slices.Collect(c.All()))
	return out
}

// TestFillMerges: what lies within another needs no place of its own, in whatever
// order it is said.
func TestFillMerges(t *testing.T) {
	a, b, d := Net(netip.MustParsePrefix("10.0.0.0/8")), Net(netip.MustParsePrefix("10.1.0.0/16")), Net(netip.MustParsePrefix("::/0"))
	for _, list := range [][]Element{{a, b, d}, {d, b, a}, {b, d, a}, {a, a, d, b}} {
		c := NewContent(Set{Name: "s", Key: Nets})
		if err := c.Fill(list); err != nil || fmt.Sprint(slices.Collect(c.All())) != "[10.0.0.0/8 ::/0]" {
			t.Errorf("%v: %v, %v", list, slices.Collect(c.All()), err)
		}
	}
}
