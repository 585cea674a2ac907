package table_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// texts are what iptables-restore and we take, or refuse. Where we are stricter
// on purpose, stricter says why; nothing that it refuses is taken.
var texts = []struct {
	name, text string
	taken      bool   // by iptables-restore
	stricter   string // why we refuse it all the same
}{
	{"empty", "", true, ""},
	{"comments", "# x\n\n*filter\n# y\nCOMMIT\n# z\n", true, ""},
	{"no COMMIT", "*filter\n-A INPUT\n", false, ""},
	{"another table instead", "*filter\n*nat\nCOMMIT\n", false, ""},
	{"outside", "-A INPUT\n", false, ""},
	{"after COMMIT", "*filter\nCOMMIT\n-A INPUT\n", false, ""},
	{"no such table", "*foo\nCOMMIT\n", false, ""},
	{"carriage returns", "*filter\r\nCOMMIT\r\n", false, ""},
	{"a blank behind COMMIT", "*filter\nCOMMIT \n", false, ""},
	{"an indented comment", "*filter\n # x\nCOMMIT\n", false, ""},
	{"an indented rule", "*filter\n -A INPUT\nCOMMIT\n", true, ""},
	{"no policy", "*filter\n:INPUT\nCOMMIT\n", false, ""},
	{"bad policy", "*filter\n:INPUT REJECT\nCOMMIT\n", false, ""},
	{"policy kept", "*filter\n:INPUT -\nCOMMIT\n", true, ""},
	{"a user chain's policy", "*filter\n:x DROP\nCOMMIT\n", false, ""},
	{"a chain twice", "*filter\n:x -\n:x -\nCOMMIT\n", false, ""},
	{"INPUT twice", "*filter\n:INPUT DROP\n:INPUT ACCEPT\nCOMMIT\n", true, ""},
	{"reserved name", "*filter\n-N LOG\nCOMMIT\n", false, ""},
	{"reserved name, declared", "*filter\n:LOG -\nCOMMIT\n", true, "-N refuses it"},
	{"long name", "*filter\n:" + strings.Repeat("a", 29) + " -\nCOMMIT\n", false, ""},
	{"longest name", "*filter\n:" + strings.Repeat("a", 28) + " -\nCOMMIT\n", true, ""},
	{"a chain with a hook elsewhere", "*filter\n:PREROUTING -\nCOMMIT\n", true, "five names are always built-in chains'"},
	{"undeclared chain", "*filter\n-A x\nCOMMIT\n", false, ""},
	{"declared too late", "*filter\n-A x\n:x -\nCOMMIT\n", false, ""},
	{"jump to a missing chain", "*filter\n-A INPUT -j x\nCOMMIT\n", false, ""},
	{"goto a missing chain", "*filter\n-A INPUT -g x\nCOMMIT\n", false, ""},
	{"jump to a later chain", "*filter\n-A INPUT -j x\n:x -\nCOMMIT\n", false, ""},
	{"jump to a built-in chain", "*filter\n-A INPUT -j OUTPUT\nCOMMIT\n", false, ""},
	{"a loop", "*filter\n:a -\n:b -\n-A INPUT -j a\n-A a -j b\n-A b -j a\nCOMMIT\n", false, ""},
	{"a loop that nothing reaches", "*filter\n:a -\n-A a -j a\nCOMMIT\n", true, "a loop has no use"},
	{"-o in INPUT", "*filter\n-A INPUT -o lo\nCOMMIT\n", false, ""},
	{"-i in OUTPUT", "*filter\n-A OUTPUT -i lo\nCOMMIT\n", false, ""},
	{"-o in a chain of INPUT", "*filter\n:a -\n-A a -o lo\n-A INPUT -j a\nCOMMIT\n", true, ""},
	{"DROP in nat", "*nat\n-A PREROUTING -j DROP\nCOMMIT\n", false, ""},
	{"policy DROP in nat", "*nat\n:PREROUTING DROP\nCOMMIT\n", true, ""},
	{"DNAT in filter", "*filter\n-A INPUT -j DNAT --to-destination 1.2.3.4\nCOMMIT\n", false, ""},
	{"DNAT in POSTROUTING", "*nat\n-A POSTROUTING -j DNAT --to-destination 1.2.3.4\nCOMMIT\n", false, ""},
	{"DNAT in a chain of POSTROUTING", "*nat\n:a -\n:b -\n-A a -j b\n-A b -j DNAT --to-destination 1.2.3.4\n-A PREROUTING -j a\n-A POSTROUTING -j a\nCOMMIT\n", false, ""},
	{"DNAT in a chain of OUTPUT", "*nat\n:a -\n-A a -j DNAT --to-destination 1.2.3.4\n-A PREROUTING -j a\n-A OUTPUT -j a\nCOMMIT\n", true, ""},
	{"SNAT in OUTPUT", "*nat\n-A OUTPUT -j SNAT --to-source 1.2.3.4\nCOMMIT\n", false, ""},
	{"MASQUERADE in INPUT", "*nat\n-A INPUT -j MASQUERADE\nCOMMIT\n", false, ""},
	{"REJECT in mangle", "*mangle\n-A INPUT -j REJECT\nCOMMIT\n", false, ""},
	{"REJECT nowhere", "*filter\n:a -\n-A a -j REJECT\nCOMMIT\n", true, ""},
	{"owner in INPUT", "*filter\n-A INPUT -m owner --uid-owner 0\nCOMMIT\n", false, ""},
	{"owner in a chain of FORWARD", "*filter\n:a -\n-A a -m owner --uid-owner 0\n-A FORWARD -j a\nCOMMIT\n", false, ""},
	{"TCPMSS clamped in INPUT", "*mangle\n-A INPUT -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu\nCOMMIT\n", false, ""},
	{"CT in filter", "*filter\n-A INPUT -j CT --notrack\nCOMMIT\n", false, ""},
	{"an option that is no option", "*filter\n-A INPUT --nosuch\nCOMMIT\n", false, ""},
	{"two commands", "*filter\n-A INPUT -A INPUT\nCOMMIT\n", false, ""},
	{"a table's name", "*filter\n-A INPUT -t filter\nCOMMIT\n", false, ""},
	{"words", "*filter\nhello\nCOMMIT\n", false, ""},
	{"the command behind", "*filter\n-j DROP -A INPUT\nCOMMIT\n", true, "a line begins with its command"},
	{"a deletion", "*filter\n-A INPUT\n-D INPUT 1\nCOMMIT\n", true, "ErrCommand"},
	{"inserted too far", "*filter\n-I INPUT 2\nCOMMIT\n", false, ""},
	{"inserted at the end", "*filter\n-I INPUT 1\n-I INPUT 2\nCOMMIT\n", true, ""},
	{"bad rule counters", "*filter\n[a:b] -A INPUT\nCOMMIT\n", false, ""},
	{"bad policy counters", "*filter\n:INPUT DROP [a:b]\nCOMMIT\n", false, ""},
	{"the other family", "*filter\n-6 -A INPUT -s 1::/200\nCOMMIT\n", true, ""},
	{"the table twice", "*filter\n-A INPUT\nCOMMIT\n*filter\nCOMMIT\n", true, "the first would be forgotten"},
}

func TestRefusesWhatIptablesRefuses(t *testing.T) {
	for _, tc := range texts {
		t.Run(tc.name, func(t *testing.T) {
			ipt := oracle.Legacy(t, labtest.Host(t))
			var args []string
			if strings.Contains(tc.text, "[") {
				args = append(args, "-c")
			}
			if r := ipt.Restore(tc.text, args...); (r.Exit == 0) != tc.taken {
				t.Errorf("iptables-restore: exit %d: %s", r.Exit, r.Stderr)
			}
			rs, err := table.Parse(strings.NewReader(tc.text), nf.IPv4)
			if err == nil {
				err = rs.Err()
			}
			if want := tc.taken && tc.stricter == ""; (err == nil) != want {
				t.Errorf("here: %v", err)
			}
		})
	}
}
