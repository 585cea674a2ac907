package nft

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The usual run is short. Where there are minutes: 200 edits by each writer, and
// 100,000 in one process.
var (
	editsEach = flag.Int("nft.edits", 4, "how many edits each of 32 processes makes")
	soakEdits = flag.Int("nft.soak", 300, "how many edits one process makes, and has nothing left of them")
)

// The environment of a writer: where, and which.
const (
	writerIn    = "GATEHOUSE_WRITER_IN"
	writerNr    = "GATEHOUSE_WRITER_NR"
	writerEdits = "GATEHOUSE_WRITER_EDITS"
)

const writers = 32

// countedRule is the rule of a writer's edit: no two have the same.
func countedRule(writer, edit int) rule.Rule {
	return rule.Accept(match.Marked(nf.Mark(uint32(writer<<16|edit))), match.Comment(fmt.Sprintf("writer %d edit %d", writer, edit)))
}

// TestWriterChild is a process of TestWriters.
func TestWriterChild(t *testing.T) {
	path := os.Getenv(writerIn)
	if path == "" {
		return // it has nothing to test by itself
	}
	nr, err := strconv.Atoi(os.Getenv(writerNr))
	if err != nil {
		t.Fatal(err)
	}
	edits, err := strconv.Atoi(os.Getenv(writerEdits))
	if err != nil {
		t.Fatal(err)
	}
	fw, err := OpenIn(t.Context(), Path(path), backend.Config{Owner: "many", Retries: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	parent := os.Getppid()
	for i := range edits {
		if os.Getppid() != parent {
			t.Fatal("nobody waits for it any more")
		}
		err := fw.Edit(t.Context(), func(e *backend.Edit) error {
			c := e.Chain(table.Filter.IPv4(), chain.Input)
			c.Append(countedRule(nr, i))
			if i%2 == 1 { // every other takes away the one before
				c.Delete(countedRule(nr, i-1))
			}
			return nil
		})
		if err != nil {
			t.Fatalf("edit %d: %v", i, err)
		}
	}
}

// Writers in many processes, and an nft that changes the same table: every edit is
// there, once.
func TestWriters(t *testing.T) {
	edits, strange := *editsEach, *editsEach
	host := labtest.Host(t)
	fw := openFirewall(t, host, backend.Config{Owner: "many"})
	apply(t, fw, table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Accept), chain.New("strange"))))
	var all sync.WaitGroup
	for nr := range writers {
		all.Go(func() {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWriterChild$", "-test.timeout=20m")
			child.Env = append(os.Environ(), writerIn+"="+host.Path(), writerNr+"="+strconv.Itoa(nr), writerEdits+"="+strconv.Itoa(edits))
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("writer %d: %v\n%s", nr, err, out)
			}
		})
	}
	tool := oracle.Nft(t, host)
	for range strange {
		tool.Must("add", "rule", "ip", "many-filter", "strange", "counter")
		tool.Must("add", "rule", "ip", "many-filter", "INPUT", "counter")
	}
	all.Wait()
	rs, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x, _ := rs.Table(table.Filter.IPv4())
	in, _ := x.Chain(chain.Input)
	s, _ := x.Chain("strange")
	seen := map[string]int{}
	for _, r := range in.Rules() {
		seen[r.String()]++
	}
	for nr := range writers {
		for i := 1; i < edits; i += 2 {
			if n := seen[countedRule(nr, i).String()]; n != 1 {
				t.Errorf("writer %d, edit %d is there %d times", nr, i, n)
			}
		}
	}
	if want := writers*edits/2 + strange; in.Len() != want || s.Len() != strange {
		t.Errorf("%d rules, and %d; want %d, and %d", in.Len(), s.Len(), want, strange)
	}
}

// Edits without end leave nothing behind in the process: no memory, descriptors or
// threads.
func TestSoak(t *testing.T) {
	edits := *soakEdits
	host := labtest.Host(t)
	fw := openFirewall(t, host, backend.Config{Owner: "soak"})
	apply(t, fw, long(1, 20))
	edit := func(i int) {
		var err error
		if i%50 == 0 { // in several transactions, under a lock
			err = fw.Apply(t.Context(), long(1+i/50%2, 20))
		} else {
			err = fw.Edit(t.Context(), func(e *backend.Edit) error {
				c := e.Chain(table.Filter.IPv4(), "both")
				c.Append(ssh(uint16(i)))
				c.DeleteIfExists(ssh(uint16(i - 1)))
				return nil
			})
		}
		if err != nil {
			t.Fatalf("edit %d: %v", i, err)
		}
	}
	for i := range edits / 3 {
		edit(i)
	}
	mem, fds, threads := usage(t)
	for i := range edits {
		edit(i)
	}
	mem2, fds2, threads2 := usage(t)
	t.Logf("%d edits: %d and %d bytes, %d and %d descriptors, %d and %d threads", edits, mem, mem2, fds, fds2, threads, threads2)
	if mem2 > mem+2<<20 || fds2 > fds || threads2 > threads+2 {
		t.Error("something is left of every edit")
	}
	holds(t, fw, mustRead(t, fw), true)
}

func mustRead(t *testing.T, fw *backend.Firewall) table.Ruleset {
	t.Helper()
	rs, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// usage is what a process uses: bytes that are in use, descriptors and threads.
func usage(t *testing.T) (mem uint64, fds, threads int) {
	t.Helper()
	for range 2 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(status, []byte("Threads:"))
	if _, err := fmt.Sscan(string(after), &threads); err != nil {
		t.Fatal(err)
	}
	return m.HeapAlloc, len(list), threads
}
