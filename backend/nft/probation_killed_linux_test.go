package nft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// everyChain has rules in every built-in chain of every table: n that count, behind a
// jump to a chain that counts.
func everyChain(n int) table.Ruleset {
	var tables []table.Table
	for _, id := range []table.ID{table.Raw, table.Mangle, table.NAT, table.Filter, table.Security} {
		chains := []chain.Chain{chain.New("counts", rule.Count())}
		for _, h := range id.BuiltIns() {
			rules := []rule.Rule{rule.Jump("counts")}
			for range n {
				rules = append(rules, counter(id))
			}
			chains = append(chains, chain.BuiltIn(h.Chain, chain.Accept, rules...))
		}
		tables = append(tables, table.New(id, chains...))
	}
	return table.NewRuleset(tables...)
}

// counter counts; in the filter table it has connections tracked, without which no
// packet comes to the nat table.
func counter(id table.ID) rule.Rule {
	if id != table.Filter {
		return rule.Count()
	}
	return rule.Count(match.States(match.New | match.Established))
}

// The environment of a process that is to be killed: where it works, what it does,
// for whom, before which message to the kernel it dies, and how large one may be.
const (
	killedIn    = "GATEHOUSE_KILLED_IN"
	killedAt    = "GATEHOUSE_KILLED_AT"
	killedDo    = "GATEHOUSE_KILLED_DO"
	killedOf    = "GATEHOUSE_KILLED_FAMILY"
	killedOwner = "GATEHOUSE_KILLED_OWNER"
	killedMax   = "GATEHOUSE_KILLED_MAX"
)

// victim is a process that is to be killed.
type victim struct {
	host   *lab.Host
	owner  string
	family nf.Family
	do     string
	max    int // bytes that a message may have; 0: as many as it likes
}

// TestKilledChild is the process that TestProbationKilledAnywhere kills.
func TestKilledChild(t *testing.T) {
	path := os.Getenv(killedIn)
	if path == "" {
		return // it has nothing to test by itself
	}
	k, err := dialKernel(t.Context(), Path(path))
	if err != nil {
		t.Fatal(err)
	}
	fw, err := backend.New(backend.Config{Owner: os.Getenv(killedOwner)}, k)
	if err != nil {
		t.Fatal(err)
	}
	var p *backend.Probation
	do := os.Getenv(killedDo)
	if do != "try" && do != "late" {
		if p, err = fw.Probation(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	left, err := strconv.Atoi(os.Getenv(killedAt))
	if err != nil {
		t.Fatal(err)
	}
	f, _ := strconv.Atoi(os.Getenv(killedOf))
	if n, _ := strconv.Atoi(os.Getenv(killedMax)); n > 0 {
		k.maxBatch = n
	}
	k.control.faults = &faults{send: func([]byte) error {
		if left--; left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // no message leaves before the signal comes
		}
		return nil
	}}
	switch do {
	case "try":
		_, err = fw.Try(t.Context(), everyChain(2).For(nf.Family(f)), time.Minute)
	case "late":
		err = fw.Apply(t.Context(), everyChain(1).For(nf.Family(f)))
	case "extend":
		err = p.Extend(t.Context(), time.Minute)
	case "confirm":
		err = p.Confirm(t.Context())
	case "revert":
		err = p.Revert(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// before runs that process, and says whether it was killed.
func (v victim) before(t *testing.T, message int) bool {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledChild$")
	child.Env = append(os.Environ(), killedIn+"="+v.host.Path(), killedDo+"="+v.do, killedOwner+"="+v.owner,
		killedAt+"="+strconv.Itoa(message), killedOf+"="+strconv.Itoa(int(v.family)), killedMax+"="+strconv.Itoa(v.max))
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return true
	}
	t.Fatalf("%s, message %d: %v\n%s", v.do, message, err, out)
	return false
}

// Whatever a process was about to tell the kernel when it was killed, in a try, an
// extend, a confirm, a revert, or tidying up after one that ended: the old rules are in
// force or the new ones, in every table, and nothing is left after the next change.
func TestProbationKilledAnywhere(t *testing.T) {
	for _, v := range []victim{
		{owner: "trial", family: nf.Both}, {owner: "trial", family: nf.IPv4}, {owner: "trial", family: nf.IPv6},
		{owner: "trial", family: nf.IPv4, max: 8 << 10}, // as where the host allows no more: in many steps
		{owner: backend.Iptables, family: nf.IPv4}, {owner: backend.Iptables, family: nf.IPv6},
	} {
		for _, do := range []string{"try", "extend", "confirm", "revert", "late"} {
			t.Run(fmt.Sprint(v.owner, " ", v.family, " ", v.max, " ", do), func(t *testing.T) {
				t.Parallel()
				v := v
				v.host, v.do = labtest.Host(t), do
				for n := 1; v.dies(t, n); n++ {
				}
			})
		}
	}
}

// dies kills the process before its n'th message; false where it has none.
func (v victim) dies(t *testing.T, n int) bool {
	t.Helper()
	fw := openFirewall(t, v.host, backend.Config{Owner: v.owner})
	defer fw.Close()
	was, is := everyChain(1).For(v.family), everyChain(2).For(v.family)
	apply(t, fw, was)
	switch v.do {
	case "try":
	case "late":
		try(t, fw, is, 20*time.Millisecond)
		time.Sleep(40 * time.Millisecond)
	default:
		try(t, fw, is, time.Minute)
	}
	killed := v.before(t, n)
	afterKilled(t, v.host, fw, v.do, was, is)
	switch {
	case t.Failed():
		t.Fatalf("killed before message %d: %t", n, killed)
	case !killed && n == 1:
		t.Error("it has no message to the kernel")
	case !killed:
		t.Logf("killed at %d places", n-1)
	}
	return killed
}

// afterKilled looks at what a killed process left, and tidies up.
func afterKilled(t *testing.T, host *lab.Host, fw *backend.Firewall, do string, was, is table.Ruleset) {
	t.Helper()
	now, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := now.Equal(was)
	if !old && !now.Equal(is) || do == "late" && !old || do == "extend" && old {
		t.Errorf("in force is\n%s", now)
	}
	p, err := fw.Probation(t.Context())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if do == "extend" {
			t.Error("it is on probation no more")
		}
		apply(t, fw, now) // whoever comes next tidies up
	case err != nil:
		t.Fatal(err)
	case old:
		t.Error("the old rules are in force, and something is on probation")
	default:
		if err := p.Revert(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = was
	}
	holds(t, fw, now, true)
	if text := oracle.Nft(t, host).List(); strings.Contains(text, "probation") || strings.Contains(text, ".try") {
		t.Errorf("something is left:\n%s", text)
	}
}
