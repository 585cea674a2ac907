package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// childText is the variable that makes this program load a file and end.
const childText = "GATEHOUSE_BENCH_TEXT"

// childIdle makes it edit before that, and say what it holds.
const childIdle = "GATEHOUSE_BENCH_IDLE"

// child is a program that loads a file where it runs: all that iptables-restore is.
func child(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	rs, err := table.Parse(in, nf.IPv4)
	if err != nil {
		return err
	}
	fw, err := nft.Open(context.Background(), backend.Config{Owner: "bench"})
	if err != nil {
		return err
	}
	defer fw.Close()
	if err := fw.Apply(context.Background(), rs); err != nil || os.Getenv(childIdle) == "" {
		return err
	}
	return idle(fw)
}

// peak is the most memory, in MiB, that a program held on a host. The kernel's own
// account of an ended child begins with what its parent had, so the program is
// looked at while it runs.
func peak(t testing.TB, h *lab.Host, cmd *exec.Cmd) (mib float64) {
	t.Helper()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := h.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.Wait() }()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			return mib
		case <-time.After(2 * time.Millisecond):
			mib = max(mib, highWater(p.PID()))
		}
	}
}

// private is this process' RssAnon, in MiB: its memory without the program's text.
func private() (mib float64, err error) {
	b, err := os.ReadFile("/proc/self/status")
	if _, rest, ok := strings.Cut(string(b), "RssAnon:"); ok {
		_, err = fmt.Sscan(rest, &mib)
	}
	return mib / 1024, err
}

// highWater is a process' VmHWM, in MiB; 0 where it has ended.
func highWater(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	var kib float64
	if _, rest, ok := strings.Cut(string(b), "VmHWM:"); ok {
		_, _ = fmt.Sscan(rest, &kib)
	}
	return kib / 1024
}

// BenchmarkMemory is the peak of a program that loads rules and ends.
func BenchmarkMemory(b *testing.B) {
	each(b, func(b *testing.B, n int, text string) {
		path := filepath.Join(b.TempDir(), "rules")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		got := map[string]float64{}
		for b.Loop() {
			for _, name := range []string{"gatehouse", "legacy", "nft"} {
				h := labtest.Host(b)
				cmd := exec.Command("/proc/self/exe")
				cmd.Env = append(os.Environ(), childText+"="+path)
				if name != "gatehouse" {
					oracle.NewTool(b, h, "iptables-"+name+"-restore") // or the benchmark is skipped
					cmd = exec.Command("iptables-"+name+"-restore", path)
					cmd.Env = append(os.Environ(), "XTABLES_LOCKFILE="+filepath.Join(b.TempDir(), "lock"))
				}
				got[name] = max(got[name], peak(b, h, cmd))
			}
		}
		b.ReportMetric(0, "ns/op")
		for name, mib := range got {
			b.ReportMetric(mib, name+"-MiB")
			if name != "gatehouse" && mib > 0 {
				b.ReportMetric(got["gatehouse"]/mib, "x-"+name)
			}
		}
	})
}
