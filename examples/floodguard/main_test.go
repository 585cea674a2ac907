//go:build linux

package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// What the program must print.
const want = `                           without its guard       with it
attack               sent  got through client      got through client
SYN flood            300   300         is shut out 0           is served
ping flood           300   300         is served   20          is served
hoarded connections  60    60          is shut out 10          is served
password guessing    30    30          is served   4           is served
the same, slower     30    30          is served   5           is served
`

// refilled is how many pings get through where the flood takes long enough for the
// account to fill up again.
var refilled = regexp.MustCompile(`(ping flood .* )2[0-9]`)

func TestOutput(t *testing.T) {
	labtest.New(t) // the probe: may this process make hosts?
	var b strings.Builder
	if err := run(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, refilled.ReplaceAllString(b.String(), "${1}20")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
