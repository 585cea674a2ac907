//go:build linux

package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// What the program must print. Counters that depend on how often a scan tries
// again are "#".
const want = `Servers listen on ports [22 25 80 110 143] of the mail host.

The peer scans 192.168.1.101, ports 1 to 1024:
PORT     STATE  SERVICE
25/tcp   open   smtp
80/tcp   open   http
Not shown: 1022 filtered tcp ports

The peer scans fd00:192:168:1::101, ports 1 to 1024:
PORT     STATE  SERVICE
25/tcp   open   smtp
80/tcp   open   http
Not shown: 1022 filtered tcp ports

The host talks to itself over loopback:        port 22 is open
The host calls the peer and is answered:       "hello" comes back
Active FTP, no helper for its data connection: dropped
Active FTP, the helper watches port 21:        accepted as RELATED

Chain INPUT (policy DROP # packets, # bytes)
 pkts bytes target     prot opt in     out     source               destination
# # ACCEPT     0    --  lo     *       anywhere             anywhere
# # ACCEPT     6    --  *      *       anywhere             anywhere             multiport dports 25,80
# # ACCEPT     0    --  *      *       anywhere             anywhere             state RELATED,ESTABLISHED
# # neighbours  58   --  *      *       anywhere             anywhere

Chain FORWARD (policy ACCEPT # packets, # bytes)
 pkts bytes target     prot opt in     out     source               destination

Chain OUTPUT (policy ACCEPT # packets, # bytes)
 pkts bytes target     prot opt in     out     source               destination
# # ACCEPT     0    --  *      lo      anywhere             anywhere

Chain neighbours (1 references)
 pkts bytes target     prot opt in     out     source               destination
# # ACCEPT     58   --  *      *       ::/0                 ::/0                 ipv6-icmptype 133 HL match HL == 255
# # ACCEPT     58   --  *      *       ::/0                 ::/0                 ipv6-icmptype 134 HL match HL == 255
# # ACCEPT     58   --  *      *       ::/0                 ::/0                 ipv6-icmptype 135 HL match HL == 255
# # ACCEPT     58   --  *      *       ::/0                 ::/0                 ipv6-icmptype 136 HL match HL == 255
`

var (
	counts   = regexp.MustCompile(`(?m)^ *[0-9]+[KMG]? +[0-9]+[KMG]? `)
	policies = regexp.MustCompile(`[0-9]+[KMG]? packets, [0-9]+[KMG]? bytes`)
	trailing = regexp.MustCompile(`(?m) +$`)
)

// settle takes out of an output what may differ from run to run.
func settle(out string) string {
	out = counts.ReplaceAllString(out, "# # ")
	out = policies.ReplaceAllString(out, "# packets, # bytes")
	return trailing.ReplaceAllString(out, "")
}

func TestOutput(t *testing.T) {
	labtest.New(t) // the probe: may this process make hosts?
	var b strings.Builder
	if err := run(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, settle(b.String())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The real nmap sees what the program says.
func TestNmapAgrees(t *testing.T) {
	labtest.New(t)
	n, err := newNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	fw, err := nft.OpenIn(t.Context(), nft.FD(n.host.FD()), backend.Config{Owner: "mailhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	if err := fw.Apply(t.Context(), Rules()); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{hostIPv4}, {"-6", hostIPv6}} {
		out := oracle.Nmap(t, n.peer).Must(append([]string{"-sT", "-n", "-Pn", "-p1-1024", "-T5", "--max-retries", "0"}, args...)...)
		for _, line := range [...]string{"25/tcp open  smtp", "80/tcp open  http", "1022 filtered tcp ports"} {
			if !strings.Contains(out, line) {
				t.Errorf("nmap does not say %q:\n%s", line, out)
			}
		}
		if open := strings.Count(out, "/tcp open"); open != 2 {
			t.Errorf("%d ports are open:\n%s", open, out)
		}
	}
}

// Without the firewall every server is reached: it is the firewall that hides them.
func TestWithoutTheFirewall(t *testing.T) {
	labtest.New(t)
	n, err := newNetwork(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var b strings.Builder
	if err := n.scan(t.Context(), &b, hostIPv4); err != nil {
		t.Fatal(err)
	}
	for _, port := range listening {
		if !strings.Contains(b.String(), fmt.Sprintf("\n%d/tcp ", port)) {
			t.Errorf("port %d is not open:\n%s", port, b.String())
		}
	}
}
