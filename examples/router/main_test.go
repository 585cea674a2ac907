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

// What the program must print. Counts that depend on how a connection ends are "#".
const want = `From inside out by TCP, seen outside as:               198.51.100.1
From inside out by UDP, seen outside as:               198.51.100.1
From outside to the published port, seen inside as:    198.51.100.2
From inside to the published port, seen inside as:     192.168.1.1
From outside to the web server itself:                 198.51.100.2
From outside to another port inside:                   filtered, ICMP type 3 code 13 from 198.51.100.1

Table filter
Chain FORWARD (policy DROP 0 packets, 0 bytes)
 pkts bytes target     prot opt in     out     source               destination
# # ACCEPT     0    --  *      *       0.0.0.0/0            0.0.0.0/0            ctstate RELATED,ESTABLISHED
    3   153 ACCEPT     0    --  lan0   *       0.0.0.0/0            0.0.0.0/0
    2   120 ACCEPT     6    --  wan0   *       0.0.0.0/0            192.168.1.2          tcp dpt:80
    1    60 LOG        0    --  *      *       0.0.0.0/0            0.0.0.0/0            LOG flags 0 level 4 prefix "refused: "
    1    60 REJECT     0    --  *      *       0.0.0.0/0            0.0.0.0/0            reject-with icmp-admin-prohibited

Table nat
Chain PREROUTING (policy ACCEPT 4 packets, 213 bytes)
 pkts bytes target     prot opt in     out     source               destination
    2   120 DNAT       6    --  *      *       0.0.0.0/0            198.51.100.1         tcp dpt:8080 to:192.168.1.2:80

Chain POSTROUTING (policy ACCEPT 2 packets, 120 bytes)
 pkts bytes target     prot opt in     out     source               destination
    1    60 SNAT       6    --  *      wan0    192.168.1.0/24       0.0.0.0/0            to:198.51.100.1
    1    33 MASQUERADE  0    --  *      wan0    192.168.1.0/24       0.0.0.0/0
    1    60 MASQUERADE  0    --  *      lan0    192.168.1.0/24       192.168.1.0/24
`

var (
	answers  = regexp.MustCompile(`(?m)^ *[0-9]+[KMG]? +[0-9]+[KMG]? (ACCEPT .*ctstate)`)
	trailing = regexp.MustCompile(`(?m) +$`)
)

func TestOutput(t *testing.T) {
	labtest.New(t) // the probe: may this process make hosts?
	var b strings.Builder
	if err := run(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	got := trailing.ReplaceAllString(answers.ReplaceAllString(b.String(), "# # $1"), "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
