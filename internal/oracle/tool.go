//go:build linux

package oracle

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// runWithin bounds one run of a tool. Loading and listing 100,000 rules takes
// ten seconds on a fast machine.
const runWithin = 2 * time.Minute

// Tool is a program that runs inside one host.
type Tool struct {
	t    testing.TB
	host *lab.Host
	path string
	env  []string
}

// NewTool finds a program by name; its absence is a failed probe.
func NewTool(t testing.TB, h *lab.Host, name string) *Tool {
	t.Helper()
	return &Tool{t: t, host: h, path: find(t, name)}
}

// find looks in the directories of system tools too, which an ordinary user's
// PATH lacks.
func find(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin/", "/sbin/", "/usr/local/sbin/"} {
		if err == nil {
			return path
		}
		if p, e := exec.LookPath(dir + name); e == nil {
			return p
		}
	}
	labtest.Require(t, name+" binary", err)
	return path
}

// Run runs the program and returns what it printed and its exit code. The test
// ends if it can't be started or takes too long.
func (x *Tool) Run(args ...string) lab.Result {
	x.t.Helper()
	return x.Input("", args...)
}

// Input is Run with text as the program's standard input.
func (x *Tool) Input(text string, args ...string) lab.Result {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runWithin)
	defer cancel()
	r, err := x.host.RunEnv(ctx, x.env, text, x.path, args...)
	if err != nil {
		x.t.Fatalf("%s %s: %v", x.path, strings.Join(args, " "), err)
	}
	return r
}

// Must runs the program, ends the test if its exit code is not 0, and returns
// what it printed to standard output.
func (x *Tool) Must(args ...string) string {
	x.t.Helper()
	return x.must("", args...)
}

func (x *Tool) must(text string, args ...string) string {
	x.t.Helper()
	r := x.Input(text, args...)
	if r.Exit != 0 {
		x.t.Fatalf("%s %s: exit %d\n%s%s", x.path, strings.Join(args, " "), r.Exit, r.Stderr, r.Stdout)
	}
	return r.Stdout
}

// Nmap is nmap inside a host.
func Nmap(t testing.TB, h *lab.Host) *Tool {
	t.Helper()
	return NewTool(t, h, "nmap")
}

// Conntrack is conntrack inside a host.
func Conntrack(t testing.TB, h *lab.Host) *Tool {
	t.Helper()
	return NewTool(t, h, "conntrack")
}
