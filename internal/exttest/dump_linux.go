package exttest

import (
	"encoding/hex"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/mdlayher/netlink"
)

// Numbers of linux/netlink.h and linux/netfilter/nf_tables.h.
const (
	netlinkNetfilter = 12
	headerLen        = 16
	genLen           = 4
	ruleExpressions  = 4
	ruleUserData     = 7
)

// RuleBytes are the rules of a chain as the kernel dumps them: expressions, and
// userdata behind a slash, in hexadecimal digits. None of our decoders looks at
// them.
func RuleBytes(t testing.TB, host *lab.Host, f program.Family, table, chain string) (rules []string) {
	t.Helper()
	c, err := netlink.Dial(netlinkNetfilter, &netlink.Config{NetNS: host.FD()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	request := wire.DumpRules(0, f, table, chain)
	m, _, _, err := wire.Next(request)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := c.Execute(netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(m.Type), Flags: netlink.HeaderFlags(m.Flags)},
		Data:   request[headerLen:],
	})
	if err != nil {
		t.Fatalf("dump %v %s %s: %v", f, table, chain, err)
	}
	for _, a := range answers {
		attrs, err := netlink.UnmarshalAttributes(a.Data[genLen:])
		if err != nil {
			t.Fatal(err)
		}
		exprs, userdata := "", ""
		for _, x := range attrs {
			switch x.Type &^ netlink.Nested {
			case ruleExpressions:
				exprs = hex.EncodeToString(x.Data)
			case ruleUserData:
				userdata = "/" + hex.EncodeToString(x.Data)
			}
		}
		rules = append(rules, exprs+userdata)
	}
	return rules
}
