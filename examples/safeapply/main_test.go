//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

// TestMain is main for the processes that the program makes of itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		if err := on(context.Background(), os.Stdout, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	labtest.Main(m)
}

// What the program must print.
const want = `The mail host 192.168.1.101 as its administrator at 192.168.1.102 finds it:
  port 22:                                   open
  port 25:                                   open
  port 80:                                   filtered
  the administrator's session:               answers

A ruleset without port 22 is tried for 1.5s, and the process is killed:
  port 22:                                   filtered
  port 25:                                   open
  port 80:                                   open
  the administrator's session:               hangs

Nobody confirmed it, and its time is up:
  port 22:                                   open
  port 25:                                   open
  port 80:                                   filtered
  the administrator's session:               answers
  another process confirms it:               too late

The ruleset that was meant is tried for 1.5s, and confirmed by another process:
  port 22:                                   open
  port 25:                                   open
  port 80:                                   open

When that time is up, too:
  port 22:                                   open
  port 25:                                   open
  port 80:                                   open
  the administrator's session:               answers
`

func TestOutput(t *testing.T) {
	labtest.New(t) // the probe: may this process make hosts?
	var b strings.Builder
	if err := run(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
