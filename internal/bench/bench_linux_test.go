package bench

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

// peers are all that a text of rules is given to, us first.
func peers(t testing.TB, text string) []peer {
	k := newKernel(t, labtest.Host(t))
	k.write(t, text)
	return []peer{
		newLibrary(t, labtest.Host(t)),
		tool{oracle.Legacy(t, labtest.Host(t)), "legacy"},
		tool{oracle.NFTVariant(t, labtest.Host(t)), "nft"},
		k,
	}
}

// race lets every peer do the same in turn, and reports how long each took and
// how many times as long as each other one we took.
func race(b *testing.B, list []peer, before, work, after func(peer)) {
	took := make([]time.Duration, len(list))
	n := 0
	for b.Loop() {
		n++
		for i, p := range list {
			before(p)
			runtime.GC() // what another left is not ours to clean up
			start := time.Now()
			work(p)
			took[i] += time.Since(start)
			after(p)
		}
	}
	b.ReportMetric(0, "ns/op") // all of them together say nothing
	for i, p := range list {
		b.ReportMetric(float64(took[i].Microseconds())/1000/float64(n), p.name()+"-ms")
		if i > 0 {
			b.ReportMetric(float64(took[0])/float64(took[i]), "x-"+p.name())
		}
	}
}

func none(peer) {}

var sizes = []int{1000, 10_000, 100_000}

// each runs a benchmark for rulesets of every size.
func each(b *testing.B, run func(b *testing.B, n int, text string)) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) { run(b, n, text(n)) })
	}
}

// BenchmarkLoad is from text to rules in force, on a host that has none.
func BenchmarkLoad(b *testing.B) {
	each(b, func(b *testing.B, _ int, text string) {
		race(b, peers(b, text), none, func(p peer) { p.load(b, text) }, func(p peer) { p.empty(b) })
	})
}

// BenchmarkRead is from the kernel to text.
func BenchmarkRead(b *testing.B) {
	each(b, func(b *testing.B, n int, text string) {
		list := peers(b, text)
		for _, p := range list {
			p.load(b, text)
		}
		race(b, list, none, func(p peer) {
			if got := p.read(b); got != n {
				b.Fatalf("%s reads %d rules of %d", p.name(), got, n)
			}
		}, none)
	})
}

// BenchmarkApplyAgain gives what is in force once more: we find that there is
// nothing to do, iptables writes all of it anew.
func BenchmarkApplyAgain(b *testing.B) {
	each(b, func(b *testing.B, _ int, text string) {
		list := peers(b, text)
		list = list[:len(list)-1] // the kernel would have it twice
		for _, p := range list {
			p.load(b, text)
		}
		race(b, list, none, func(p peer) { p.load(b, text) }, none)
	})
}

// BenchmarkParse is text to rules. iptables-restore --test reads it too, and lays
// it out for the kernel.
func BenchmarkParse(b *testing.B) {
	each(b, func(b *testing.B, n int, text string) {
		legacy := oracle.Legacy(b, labtest.Host(b))
		race(b, []peer{newLibrary(b, labtest.Host(b)), tool{legacy, "legacy"}}, none, func(p peer) {
			if p.name() == "legacy" {
				legacy.MustRestore(text, "--test")
				return
			}
			parsed(b, text)
		}, none)
	})
}

// BenchmarkPrint is rules to text; nobody else does that without a kernel.
func BenchmarkPrint(b *testing.B) {
	each(b, func(b *testing.B, n int, text string) {
		rs := parsed(b, text)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := rs.WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/rule")
	})
}

// TestPeers: all of them load, read and empty, so that the benchmarks measure
// what they say.
func TestPeers(t *testing.T) {
	for _, n := range []int{100, 600} { // less than a page, and more
		for _, p := range peers(t, text(n)) {
			if _, ok := p.(tool); ok && n > 100 {
				continue // without privilege iptables-nft cannot send so many
			}
			p.load(t, text(n))
			if got := p.read(t); got != n {
				t.Errorf("%s reads %d rules of %d", p.name(), got, n)
			}
			p.empty(t)
			if k, ok := p.(*kernel); ok {
				k.chains = nil // and has no table to ask for
			}
			if got := p.read(t); got != 0 {
				t.Errorf("%s reads %d rules of none", p.name(), got)
			}
		}
	}
}
