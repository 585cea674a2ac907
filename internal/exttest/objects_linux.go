package exttest

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
)

// objects make in a host what the rules of an extension's examples refer to and
// no rule makes.
var objects = map[string]func(t testing.TB, h *lab.Host){
	"set": ipsets,
	"SET": ipsets,
}

// Objects makes in a host everything that any example refers to.
func Objects(t testing.TB, h *lab.Host) {
	t.Helper()
	ipsets(t, h)
}

// host is a host with what the file's rules refer to.
func (f File) host(t testing.TB) *lab.Host {
	t.Helper()
	h := labtest.Host(t)
	if prepare := objects[f.Name]; prepare != nil {
		prepare(t, h)
	}
	return h
}

// ipsets are the sets that examples name, each with an entry that packets of the
// tests have.
func ipsets(t testing.TB, h *lab.Host) {
	t.Helper()
	r := oracle.NewTool(t, h, "ipset").Input(`
create hosts hash:ip timeout 600 counters skbinfo
create others hash:ip
create hosts6 hash:ip family inet6 counters
create services hash:ip,port
create nets hash:net
create both list:set
create ports bitmap:port range 0-1023
create 0123456789012345678901234567890 hash:ip
add hosts 192.168.1.102 skbmark 0x12/0xff skbprio 1:10 skbqueue 0
add hosts6 fd00:1::102
add services 192.168.1.101,tcp:22
add nets 10.0.0.0/8
add nets 10.0.0.9 nomatch
add both others
add both nets
add ports 22
`, "restore")
	if r.Exit != 0 {
		t.Fatalf("ipset restore: %s", r.Stderr)
	}
}
