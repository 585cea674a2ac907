package nft

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// The environment of a process that changes rules and is killed: where, what it
// does, before which message, and how large one may be.
const (
	stagedIn  = "GATEHOUSE_STAGED_IN"
	stagedDo  = "GATEHOUSE_STAGED_DO"
	stagedAt  = "GATEHOUSE_STAGED_AT"
	stagedMax = "GATEHOUSE_STAGED_MAX"
)

// long has pages, lists of ranges, which are sets, and a chain of the version's name.
func long(version, rules int) table.Ruleset {
	in := make([]rule.Rule, 0, rules+2)
	in = append(in, portRanges(uint16(100*version)), rule.Jump(fmt.Sprint("v", version)))
	for i := range rules {
		a := netip.AddrFrom4([4]byte{10, byte(version), byte(i >> 8), byte(i)})
		in = append(in, rule.Accept(match.Source(a)))
	}
	return table.NewRuleset(table.New(table.Filter.IPv4(),
		chain.BuiltIn(chain.Input, chain.Drop, in...),
		chain.New(fmt.Sprint("v", version), ssh(uint16(version))),
		chain.New("both", ssh(uint16(version))),
	))
}

// portRanges looks ports up in a set of ranges.
func portRanges(lo uint16) rule.Rule {
	return rule.Accept(match.Multiport{Proto: nf.TCP, Dports: match.Is(nf.List(nf.PortRange(lo, lo+10), nf.PortRange(lo+20, lo+30), nf.Port(lo+40)))})
}

// change is something that a process is killed in.
type change struct {
	name    string
	max     int // bytes that a transaction may have; 0: any number
	offset  int
	was, is table.Ruleset
	do      func(t *testing.T, fw *backend.Firewall, is table.Ruleset) error
}

func applied(t *testing.T, fw *backend.Firewall, is table.Ruleset) error {
	return fw.Apply(t.Context(), is)
}

func stagedChanges() []change {
	small := func(ports ...uint16) table.Ruleset {
		var in []rule.Rule
		for _, p := range ports {
			in = append(in, ssh(p))
		}
		return table.NewRuleset(table.New(table.Filter.IPv4(), chain.BuiltIn(chain.Input, chain.Drop, in...)))
	}
	return []change{
		{name: "apply", was: small(1, 2), is: small(2, 3), do: applied},
		{name: "edit", was: small(1, 2), is: small(2, 3), do: func(t *testing.T, fw *backend.Firewall, _ table.Ruleset) error {
			return fw.Edit(t.Context(), func(e *backend.Edit) error {
				c := e.Chain(table.Filter.IPv4(), chain.Input)
				c.Delete(ssh(1))
				c.Append(ssh(3))
				return nil
			})
		}},
		{name: "sets", was: long(1, 0), is: long(2, 0), do: applied},
		{name: "staged", max: 24 << 10, was: long(1, 600), is: long(2, 700), do: applied},
		{name: "a new table", max: 24 << 10, was: table.Ruleset{}, is: long(2, 600), do: applied},
		{name: "remove", max: 24 << 10, was: long(1, 600), is: table.Ruleset{}, do: func(t *testing.T, fw *backend.Firewall, _ table.Ruleset) error {
			return fw.Remove(t.Context())
		}},
		{name: "moved", offset: 5, was: long(1, 3), is: long(2, 3), do: applied},
	}
}

// TestStagedChild is the process that TestKilledAtEveryMessage kills.
func TestStagedChild(t *testing.T) {
	path := os.Getenv(stagedIn)
	if path == "" {
		return // it has nothing to test by itself
	}
	k, err := dialKernel(t.Context(), Path(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range stagedChanges() {
		if c.name != os.Getenv(stagedDo) {
			continue
		}
		fw, err := backend.New(backend.Config{Owner: "staged", Offset: c.offset}, k)
		if err != nil {
			t.Fatal(err)
		}
		if c.max > 0 {
			k.maxBatch = c.max
		}
		left, err := strconv.Atoi(os.Getenv(stagedAt))
		if err != nil {
			t.Fatal(err)
		}
		k.faults = &faults{send: func(b []byte) error {
			if left--; left == 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // no message leaves before the signal comes
			}
			return nil
		}}
		k.control.faults, k.dumps.faults = k.faults, &faults{} // what only reads changes nothing
		if err := c.do(t, fw, c.is); err != nil {
			t.Fatal(err)
		}
	}
}

// killed runs that process, and says whether it was killed.
func (c change) killed(t *testing.T, host *lab.Host, message int) bool {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStagedChild$")
	child.Env = append(os.Environ(), stagedIn+"="+host.Path(), stagedDo+"="+c.name, stagedAt+"="+strconv.Itoa(message))
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return true
	}
	t.Fatalf("%s, message %d: %v\n%s", c.name, message, err, out)
	return false
}

// Whatever a process was about to tell the kernel when it was killed: the old
// ruleset is in force or the new one, nobody reads anything else, and whoever opens
// the Firewall next leaves nothing of it.
func TestKilledAtEveryMessage(t *testing.T) {
	for _, c := range stagedChanges() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			host := labtest.Host(t)
			reader := openFirewall(t, host, backend.Config{Owner: "staged"})
			news := 0
			for n := 1; ; n++ {
				if err := reader.Remove(t.Context()); err != nil {
					t.Fatal(err)
				}
				apply(t, reader, c.was)
				killed := c.killed(t, host, n)
				if c.left(t, host, reader, killed, n%2 == 0) {
					news++
				}
				if t.Failed() {
					t.Fatalf("killed before message %d: %t", n, killed)
				}
				if !killed {
					t.Logf("killed at %d places; the new ruleset was in force %d times", n-1, news)
					return
				}
			}
		})
	}
}

// left looks at what a killed process left, and what of that is there after somebody
// opened the Firewall or, where it changes, changed something; is says that the new
// ruleset is in force.
func (c change) left(t *testing.T, host *lab.Host, reader *backend.Firewall, killed, changes bool) (is bool) {
	t.Helper()
	now, err := reader.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	is = now.Equal(c.is)
	if !is && (!now.Equal(c.was) || !killed) {
		t.Errorf("in force is\n%s", now)
	}
	fw := reader
	if changes && c.offset == 0 {
		apply(t, fw, now)
	} else {
		fw = openFirewall(t, host, backend.Config{Owner: "staged"})
		defer fw.Close()
	}
	k := connect(t, host)
	defer k.Close()
	got, err := k.Read(t.Context(), driver.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range got.Program.Tables {
		if x.Name != "staged-filter" {
			t.Errorf("the table %s is left", x.Name)
		}
		for _, ch := range x.Chains {
			if _, ok := now.Table(table.Filter.IPv4()); ok && !ch.Base && !strings.Contains(ch.Name, ".p") {
				f, _ := now.Table(table.Filter.IPv4())
				if _, ok := f.Chain(ch.Name); !ok {
					t.Errorf("the chain %s is left", ch.Name)
				}
			}
			if !ch.Base && ch.Use == uint32(len(ch.Rules)) && ch.Name != "both" {
				t.Errorf("nothing refers to the chain %s", ch.Name)
			}
		}
		if want := 1; len(x.Sets) > want {
			t.Errorf("%d sets are left", len(x.Sets))
		}
	}
	holds(t, fw, now, len(got.Program.Tables) == 0 || c.offset == 0)
	return is
}
