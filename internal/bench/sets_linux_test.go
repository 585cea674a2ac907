package bench

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/table"
	"github.com/gatehouse-fw/gatehouse/table/set"
)

// content is a set that a benchmark fills.
type content struct {
	set      set.Set
	ipset    string // the type, as ipset has it
	elements []set.Element
}

// contents are sets of n single addresses, and of n networks of 16.
func contents(n int) []content {
	at := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte{10 + byte(i>>20), byte(i >> 12), byte(i >> 4), byte(i << 4)})
	}
	hosts := content{set: set.Set{Name: "hosts", Key: set.Addrs}, ipset: "hash:ip"}
	nets := content{set: set.Set{Name: "nets", Key: set.Nets}, ipset: "hash:net"}
	for i := range n {
		hosts.elements = append(hosts.elements, set.Net(at(i)))
		nets.elements = append(nets.elements, set.Net(netip.PrefixFrom(at(i), 28)))
	}
	return []content{hosts, nets}
}

// filled is a table with the set.
func (c content) filled() table.Ruleset {
	return table.NewRuleset(table.New(table.Filter.IPv4()).WithSet(c.set, c.elements...))
}

// filler is a peer that fills a set.
type filler struct {
	peer
	named string
	fill  func(t testing.TB)
	clear func(t testing.TB)
}

func (f filler) name() string { return f.named }

// fillers are all that fill a set: we from Go values, the kernel alone from a batch that
// is ready, nft and ipset from text.
func (c content) fillers(t testing.TB) []filler {
	lib := newLibrary(t, labtest.Host(t))
	k := newKernel(t, labtest.Host(t))
	text := c.filled().String()
	k.write(t, text)
	nft := oracle.Nft(t, labtest.Host(t))
	var script, restore strings.Builder
	kind := "ipv4_addr"
	if c.set.Key == set.Nets {
		kind += "; flags interval"
	}
	fmt.Fprintf(&script, "table ip bench {\nset s { type %s; elements = {\n", kind)
	fmt.Fprintf(&restore, "create s %s maxelem 1000000\n", c.ipset)
	for _, e := range c.elements {
		fmt.Fprintf(&script, "%v,\n", e)
		fmt.Fprintf(&restore, "add s %v\n", e)
	}
	script.WriteString("}\n}\n}\n")
	ipset := oracle.NewTool(t, labtest.Host(t), "ipset")
	return []filler{
		{lib, "gatehouse", func(t testing.TB) {
			if err := lib.fw.Apply(t.Context(), c.filled()); err != nil {
				t.Fatal(err)
			}
		}, lib.empty},
		{k, "kernel", func(t testing.TB) { k.load(t, text) }, k.empty},
		{nil, "nft", func(testing.TB) { nft.MustLoad(script.String()) }, func(testing.TB) { nft.Flush() }},
		{nil, "ipset", func(testing.TB) { ipset.Input(restore.String(), "restore") }, func(testing.TB) { ipset.Must("destroy") }},
	}
}

func eachContent(b *testing.B, run func(b *testing.B, n int, c content)) {
	for _, n := range sizes {
		for _, c := range contents(n) {
			b.Run(fmt.Sprintf("%s=%d", c.set.Name, n), func(b *testing.B) { run(b, n, c) })
		}
	}
}

// BenchmarkFillSet is from values to a new set in force. What we take beyond what the
// kernel alone does is our own time.
func BenchmarkFillSet(b *testing.B) {
	eachContent(b, func(b *testing.B, _ int, c content) {
		var list []peer
		for _, f := range c.fillers(b) {
			list = append(list, f)
		}
		race(b, list, none, func(p peer) { p.(filler).fill(b) }, func(p peer) { p.(filler).clear(b) })
	})
}

// BenchmarkAddToSet adds as many elements in one transaction to a set in force that
// has none, then takes one out, then reads all of them.
func BenchmarkAddToSet(b *testing.B) {
	eachContent(b, func(b *testing.B, n int, c content) {
		for _, step := range []struct {
			name string
			fn   func(s *backend.SetEdit, i int)
		}{
			{"all", func(s *backend.SetEdit, _ int) { s.Set(); s.Add(c.elements...) }},
			{"one", func(s *backend.SetEdit, i int) {
				if e := c.elements[i%n]; s.Remove(e) == 0 {
					s.Add(e)
				}
			}},
		} {
			b.Run(step.name, func(b *testing.B) {
				lib := newLibrary(b, labtest.Host(b))
				if err := lib.fw.Apply(b.Context(), table.NewRuleset(table.New(table.Filter.IPv4()).WithSets(c.set))); err != nil {
					b.Fatal(err)
				}
				edit := func(fn func(s *backend.SetEdit)) {
					if err := lib.fw.Edit(b.Context(), func(e *backend.Edit) error { fn(e.Set(table.Filter.IPv4(), c.set)); return nil }); err != nil {
						b.Fatal(err)
					}
				}
				if step.name == "one" {
					edit(func(s *backend.SetEdit) { s.Add(c.elements...) })
				}
				i := 0
				for b.Loop() {
					edit(func(s *backend.SetEdit) { step.fn(s, i) })
					if step.name == "all" {
						b.StopTimer()
						edit(func(s *backend.SetEdit) { s.Set() })
						b.StartTimer()
					}
					i++
				}
			})
		}
	})
}
