package target_test

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// A kernel target that is native in our own tables stays there what a caller made
// it; in iptables' own it reads as what it is.
func TestXTOfAKnownName(t *testing.T) {
	given := rule.New(target.XT{Ext: "MARK", Revision: 2, Info: "\x00\x00\x00\x00\x00\x00\x00\x00"})
	for plain, want := range map[bool]string{
		false: "-j XT --ext MARK --revision 2 --info 0000000000000000",
		true:  "-j MARK --set-xmark 0x0/0x0",
	} {
		env := program.Env{Family: program.IP, Table: "mangle", Plain: plain}
		p, err := compile.Rule(given, env, true, 0)
		if err != nil {
			t.Fatal(err)
		}
		if r, _, err := compile.ReadRule(p, env); err != nil || r.String() != want {
			t.Errorf("plain %t: reads as %v, %v; want %s", plain, r, err, want)
		}
	}
}
