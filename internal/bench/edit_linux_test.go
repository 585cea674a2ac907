package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/iptables"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// one is the rule that comes and goes.
const one = "-s 172.16.0.1/32 -p tcp -m tcp --dport 7 -j ACCEPT"

func oneRule(t testing.TB) rule.Rule {
	r, err := rule.Parse(one, nf.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// insert puts the one rule before rule n, or, 0, at the end, and remove takes it away.
func (l *library) insert(t testing.TB, n int) {
	l.edit(t, func(c *backend.ChainEdit) {
		if n == 0 {
			c.Append(oneRule(t))
			return
		}
		c.Insert(n, oneRule(t))
	})
}

func (l *library) remove(t testing.TB) {
	l.edit(t, func(c *backend.ChainEdit) { c.Delete(oneRule(t)) })
}

func (l *library) edit(t testing.TB, fn func(c *backend.ChainEdit)) {
	err := l.fw.Edit(t.Context(), func(e *backend.Edit) error {
		fn(e.Chain(table.Filter.IPv4(), chain.Input))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (x tool) insert(_ testing.TB, n int) {
	args := append([]string{"-A", "INPUT"}, strings.Fields(one)...)
	if n > 0 {
		args = append([]string{"-I", "INPUT", fmt.Sprint(n)}, strings.Fields(one)...)
	}
	x.Must(args...)
}

func (x tool) remove(testing.TB) { x.Must(append([]string{"-D", "INPUT"}, strings.Fields(one)...)...) }

// The kernel is given the page and the place.
func (k *kernel) insert(t testing.TB, n int) {
	page, before := k.place(t, n)
	p, err := compile.Rule(oneRule(t), program.Env{Family: program.IP, Table: "filter", Chain: chain.Input}, true, 0)
	if err != nil {
		t.Fatal(err)
	}
	batch := k.encode(t, []driver.Op{{Kind: driver.AddRule, Table: benchTable, Chain: &program.Chain{Name: page}, Rule: p, Before: before}})
	k.timed(t, batch)
	k.last = page
	rules := k.rules(t, page)
	i := len(rules) - 1
	if before != 0 {
		i = slices.Index(rules, before) - 1
	}
	k.handle = rules[i]
}

func (k *kernel) remove(t testing.TB) {
	batch := k.encode(t, []driver.Op{{
		Kind: driver.DeleteRule, Table: benchTable, Chain: &program.Chain{Name: k.last}, Rule: &program.Rule{Handle: k.handle},
	}})
	k.timed(t, batch)
}

var benchTable = &program.Table{Family: program.IP, Name: "bench-filter"}

// timed sends a batch, and notes how long that alone took.
func (k *kernel) timed(t testing.TB, batch []byte) {
	start := time.Now()
	k.send(t, batch)
	k.took = time.Since(start)
}

// place is where rule n stands, 0 being the end.
func (k *kernel) place(t testing.TB, n int) (page string, before uint64) {
	if n == 0 {
		return k.pages()[len(k.pages())-1], 0
	}
	for _, page := range k.pages() {
		rules := k.rules(t, page)
		if n <= len(rules) {
			return page, rules[n-1]
		}
		n -= len(rules)
	}
	t.Fatal("no such rule")
	return "", 0
}

// pages are the chains that have INPUT's rules.
func (k *kernel) pages() []string {
	var pages []string
	for _, c := range k.chains {
		if strings.HasPrefix(c, "INPUT.p") {
			pages = append(pages, c)
		}
	}
	if pages == nil {
		return []string{chain.Input}
	}
	return pages
}

// rules are the handles of a chain's rules.
func (k *kernel) rules(t testing.TB, name string) (handles []uint64) {
	if err := unix.Sendto(k.fd, wire.DumpRules(1, program.IP, "bench-filter", name), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		t.Fatal(err)
	}
	var dec wire.Decoder
	for {
		n, _, err := unix.Recvfrom(k.fd, k.buf, 0)
		if err != nil {
			t.Fatal(err)
		}
		for b := k.buf[:n]; ; {
			m, rest, ok, err := wire.Next(b)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			b = rest
			if m.Type == unix.NLMSG_DONE {
				return handles
			}
			_, _, r, err := dec.Rule(m)
			if err != nil {
				t.Fatal(err)
			}
			handles = append(handles, r.Handle)
		}
	}
}

// editor is a peer that changes one rule of many.
type editor interface {
	peer
	insert(t testing.TB, n int)
	remove(t testing.TB)
}

// BenchmarkEdit is one rule that comes, at the end or in the middle, and goes again, in
// a chain of many, with the library open and the tools started each time.
func BenchmarkEdit(b *testing.B) {
	each(b, func(b *testing.B, n int, text string) {
		list := peers(b, text)
		for _, p := range list {
			p.load(b, text)
		}
		for _, at := range []int{0, n/2 + 7} {
			name := "append"
			if at > 0 {
				name = "insert"
			}
			b.Run(name, func(b *testing.B) { raceEdits(b, list, at) })
		}
	})
}

// raceEdits is race for a rule that comes and goes: both are timed.
func raceEdits(b *testing.B, list []peer, at int) {
	came, went := make([]time.Duration, len(list)), make([]time.Duration, len(list))
	for _, p := range list { // what comes first has more to read
		e := p.(editor)
		for range 3 {
			e.insert(b, at)
			e.remove(b)
		}
	}
	n := 0
	for b.Loop() {
		n++
		for i, p := range list {
			e := p.(editor)
			runtime.GC()
			came[i] += clock(p, func() { e.insert(b, at) })
			went[i] += clock(p, func() { e.remove(b) })
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, p := range list {
		b.ReportMetric(float64(came[i].Microseconds())/1000/float64(n), p.name()+"-ms")
		b.ReportMetric(float64(went[i].Microseconds())/1000/float64(n), p.name()+"-gone-ms")
		if i > 0 {
			b.ReportMetric(float64(came[0])/float64(came[i]), "x-"+p.name())
		}
	}
}

// clock is how long work takes; of the kernel, sending the batch alone.
func clock(p peer, work func()) time.Duration {
	start := time.Now()
	work()
	if k, ok := p.(*kernel); ok {
		return k.took
	}
	return time.Since(start)
}

// BenchmarkExists is the question whether a chain of 10,000 rules has one, in its middle.
func BenchmarkExists(b *testing.B) {
	for _, owner := range []string{"bench", backend.Iptables} {
		b.Run(owner, func(b *testing.B) {
			fw, err := nft.OpenIn(b.Context(), nft.FD(labtest.Host(b).FD()), backend.Config{Owner: owner})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { fw.Close() })
			if err := fw.Apply(b.Context(), parsed(b, text(10_000))); err != nil {
				b.Fatal(err)
			}
			x := iptables.Over(fw, iptables.ProtocolIPv4)
			for b.Loop() {
				there, err := x.Exists("filter", "INPUT", "-s", "10.0.19.136/32", "-p", "tcp", "-m", "tcp", "--dport", "5000", "-j", "ACCEPT")
				if err != nil || !there {
					b.Fatal(there, err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "probes/s")
		})
	}
}

// BenchmarkIdle is what a program of its own holds that has loaded 100,000 rules, edits
// them and then waits.
func BenchmarkIdle(b *testing.B) {
	path := filepath.Join(b.TempDir(), "rules")
	if err := os.WriteFile(path, []byte(text(100_000)), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), childText+"="+path, childIdle+"=1")
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		p, err := labtest.Host(b).Start(cmd)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Wait(); err != nil {
			b.Fatal(err, out.String())
		}
		var heap, all float64
		if _, err := fmt.Sscan(out.String(), &heap, &all); err != nil {
			b.Fatal(err, out.String())
		}
		b.ReportMetric(heap, "heap-MiB")
		b.ReportMetric(all, "private-MiB")
	}
	b.ReportMetric(0, "ns/op")
}

// idle edits, and says what the program holds then: of its heap, and in all.
func idle(fw *backend.Firewall) error {
	r, err := rule.Parse(one, nf.IPv4)
	if err != nil {
		return err
	}
	for range 3 {
		err := fw.Edit(context.Background(), func(e *backend.Edit) error {
			c := e.Chain(table.Filter.IPv4(), chain.Input)
			if !c.DeleteIfExists(r) {
				c.Insert(50_000, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	var m runtime.MemStats
	debug.FreeOSMemory()
	runtime.ReadMemStats(&m)
	all, err := private()
	fmt.Println(float64(m.HeapAlloc)/(1<<20), all)
	return err
}
