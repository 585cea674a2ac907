package exttest

import (
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/backend/nft"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/target"
	"github.com/gatehouse-fw/gatehouse/table"
)

// objects make in a host what the rules of an extension's examples refer to and
// no rule makes.
var objects = map[string]func(t testing.TB, h *lab.Host){
	"set":     ipsets,
	"SET":     ipsets,
	"nfacct":  accounts,
	"rateest": estimators,
}

// Objects makes in a host everything that any example refers to.
func Objects(t testing.TB, h *lab.Host) {
	t.Helper()
	ipsets(t, h)
	accounts(t, h)
	estimators(t, h)
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

// accounts are the accounting objects that examples name.
func accounts(t testing.TB, h *lab.Host) {
	t.Helper()
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: h.FD()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, name := range []string{"traffic", "0123456789012345678901234567890"} {
		const subsysAcct, newAcct, acctName = 7, 0, 1 // nfnetlink_acct.h
		ae := netlink.NewAttributeEncoder()
		ae.String(acctName, name)
		attrs, err := ae.Encode()
		if err == nil {
			_, err = c.Execute(netlink.Message{
				Header: netlink.Header{Type: subsysAcct<<8 | newAcct, Flags: netlink.Request | netlink.Create | netlink.Acknowledge},
				Data:   append([]byte{0, 0, 0, 0}, attrs...),
			})
		}
		if err != nil {
			t.Fatalf("the accounting object %s: %v", name, err)
		}
	}
}

// estimators are those that examples name. A rule that no packet meets makes
// them, in tables of their own, which other rules' comings and goings leave alone.
func estimators(t testing.TB, h *lab.Host) {
	t.Helper()
	fw, err := nft.OpenIn(t.Context(), nft.FD(h.FD()), backend.Config{Owner: "objects"})
	if err != nil {
		t.Fatal(err)
	}
	defer fw.Close()
	var rules []rule.Rule
	for _, name := range []string{"in", "out"} {
		rules = append(rules, rule.New(target.RATEEST{Estimator: name, Interval: 250 * time.Millisecond, Average: time.Second}))
	}
	if err := fw.Apply(t.Context(), table.NewRuleset(table.New(table.Filter.IPv4(), chain.New("estimators", rules...)))); err != nil {
		t.Fatal(err)
	}
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
