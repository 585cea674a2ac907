package difftest

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// furnish makes what rules ask for in a host: kernel ipsets.
func furnish(t testing.TB, host *lab.Host, f nf.Family) {
	t.Helper()
	family := "inet"
	if f == nf.IPv6 {
		family = "inet6"
	}
	ipset := oracle.NewTool(t, host, "ipset")
	text := strings.ReplaceAll(`create ip hash:ip family FAMILY counters timeout 60 skbinfo
create net hash:net family FAMILY
create ipport hash:ip,port family FAMILY
create ports bitmap:port range 0-100
create list list:set
`, "FAMILY", family)
	if r := ipset.Input(text, "restore"); r.Exit != 0 {
		t.Fatal("ipset restore: ", r.Stderr)
	}
}
