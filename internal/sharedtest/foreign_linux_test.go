package sharedtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/exttest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// strangers are rules as nft writes them, and what they read as; "" where no rule
// of iptables says the same, so that they are opaque.
var strangers = []struct{ nft, reads string }{
	{"ct state established accept", "-m conntrack --ctstate ESTABLISHED -j ACCEPT"},
	{`tcp dport 22 counter accept comment "ssh"`, "-p tcp -m tcp --dport 22 -m comment --comment ssh -j ACCEPT"},
	{`tcp dport 22 accept comment "another"`, "-p tcp -m tcp --dport 22 -m comment --comment another -j ACCEPT"},
	{"tcp dport 22 counter accept", "-p tcp -m tcp --dport 22 -j ACCEPT"},
	{"tcp dport 22 accept", "-p tcp -m tcp --dport 22 -j ACCEPT"},
	{"tcp dport 7 ip saddr 192.0.2.1 counter accept", "-s 192.0.2.1/32 -p tcp -m tcp --dport 7 -j ACCEPT"},
	{`iifname "eth0" udp sport 1-9 drop`, "-i eth0 -p udp -m udp --sport 1:9 -j DROP"},
	{"ip ttl 5 drop", "-m ttl --ttl-eq 5 -j DROP"},
	{"ip saddr 10.0.0.1-10.0.0.7 counter drop", "-m iprange --src-range 10.0.0.1-10.0.0.7 -j DROP"},
	{"meta mark & 0xff == 1 limit rate 5/minute accept", "-m mark --mark 0x1/0xff -m limit --limit 5/min -j ACCEPT"},
	{"meta pkttype multicast counter", "-m pkttype --pkt-type multicast"},
	{"fib daddr type local jump mine", "-m addrtype --dst-type LOCAL -j mine"},
	{`log prefix "seen " level warn`, `-j LOG --log-prefix "seen "`},
	{"quota over 25 mbytes drop", "-m quota ! --quota 26214400 -j DROP"},
	{`meta length 10-20 counter accept comment "one"`, "-m length --length 10:20 -m comment --comment one -j ACCEPT"},
	{`meta length 10-20 counter accept comment "two"`, "-m length --length 10:20 -m comment --comment two -j ACCEPT"},
	{"tcp dport { 22, 80 } accept", ""},
	{"tcp dport @ports accept", ""},
	{"ip saddr != 10.0.0.1-10.0.0.7 ip protocol tcp drop", ""},
	{"limit rate over 5/second drop", ""},
	{"numgen random mod 10 < 3 accept", ""},
	{"tcp dport vmap { 22 : accept, 23 : drop }", ""},
	{`numgen random mod 10 < 4 accept comment "one"`, ""},
	{`numgen random mod 10 < 4 accept comment "two"`, ""},
}

// Rules that neither iptables-nft nor we made stay what they are, to the byte, with
// their handles, whatever we change beside them; and they are read as the rule
// that they are, or as opaque.
func TestRulesOfOthersStay(t *testing.T) {
	h := host(t)
	x, fw, tool := real(t, h, nf.IPv4), open(t, h), oracle.Nft(t, h)
	x.Must("-N", "mine")
	x.Must("-A", "INPUT", "-i", "lo", "-j", "ACCEPT")
	text := "add set ip filter ports { type inet_service; elements = { 5, 6 } }\n" +
		"add chain ip filter other { type filter hook input priority 7; }\nadd rule ip filter other counter\n"
	for _, s := range strangers {
		text += "add rule ip filter INPUT " + s.nft + "\n"
	}
	tool.MustLoad(text)
	x.Must("-A", "INPUT", "-j", "mine")

	rs, err := fw.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := rulesOf(rs, "INPUT")
	if len(read) != len(strangers)+2 {
		t.Fatalf("%d rules are read", len(read))
	}
	for i, s := range strangers {
		switch r := read[i+1]; {
		case r.Opaque() != (s.reads == ""):
			t.Errorf("%s: reads as %v, want %q", s.nft, r, s.reads)
		case !r.Opaque() && r.String() != s.reads:
			t.Errorf("%s: reads as %v, want %s", s.nft, r, s.reads)
		}
	}
	if plan, err := fw.Plan(t.Context(), rs); err != nil || !plan.Empty() {
		t.Errorf("to apply what was read is %v, %v", plan, err)
	}

	before, bytes := listed(tool), exttest.RuleBytes(t, h, program.IP, "filter", "INPUT")
	edits := []func(c *backend.ChainEdit){
		func(c *backend.ChainEdit) { c.Append(rule.Drop()) },
		func(c *backend.ChainEdit) { c.Insert(5, rule.Accept()) },
		func(c *backend.ChainEdit) { c.Insert(1, rule.Return()) },
		func(c *backend.ChainEdit) { c.DeleteAt(2) },
		func(c *backend.ChainEdit) { c.Policy(chain.Drop) },
	}
	for _, do := range edits {
		if err := fw.Edit(t.Context(), func(e *backend.Edit) error { do(e.Chain(table.Filter.IPv4(), "INPUT")); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	after := exttest.RuleBytes(t, h, program.IP, "filter", "INPUT")
	if got := within(after, bytes[1:]); got != "" {
		t.Errorf("this is not what it was: %s", got)
	}
	if got := within(listed(tool), slices.DeleteFunc(before, func(l string) bool { return strings.Contains(l, `iifname "lo"`) })); got != "" {
		t.Errorf("this is not there any more: %s", got)
	}

	// The whole ruleset, as it was read, in the place of what is there now.
	if err := fw.Apply(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	if got := exttest.RuleBytes(t, h, program.IP, "filter", "INPUT"); within(got, bytes[1:]) != "" || len(got) != len(bytes) {
		t.Errorf("after it is applied again the rules are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(bytes, "\n"))
	}
}

// rulesOf are the rules of one chain.
func rulesOf(rs table.Ruleset, name string) (out []rule.Rule) {
	tab, _ := rs.Table(table.Filter.IPv4())
	c, _ := tab.Chain(name)
	for _, r := range c.Rules() {
		out = append(out, r)
	}
	return out
}

// listed are the lines of nft's listing of the table that have handles, but for
// what its own sets without a name are called.
func listed(tool *oracle.NftTool) (lines []string) {
	for line := range strings.Lines(tool.Must("-a", "list", "table", "ip", "filter")) {
		if strings.Contains(line, "# handle") && !strings.Contains(line, "{ #") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// within is the first of some lines that a list has not, in their order.
func within(list, some []string) string {
	for _, s := range some {
		i := slices.Index(list, s)
		if i < 0 {
			return s
		}
		list = list[i+1:]
	}
	return ""
}

// A rule that iptables-nft made of "-i +", with a load that nothing is done with,
// reads as what it says, is what we are asked for, and stays.
func TestLoadsOfNothing(t *testing.T) {
	h := host(t)
	x, fw := real(t, h, nf.IPv4), open(t, h)
	x.Must("-A", "FORWARD", "-i", "+", "-o", "+", "-p", "tcp", "--dport", "5", "-j", "ACCEPT")
	x.Must("-A", "FORWARD", "-i", "+", "-j", "ACCEPT")
	sameText(t, fw, x, nf.IPv4)
	bytes := exttest.RuleBytes(t, h, program.IP, "filter", "FORWARD")
	// The load is 0x24 bytes, and what follows is the counter.
	if len(bytes[1]) < 72 || !strings.HasPrefix(bytes[1][72:], "2c0001000c000100"+"636f756e746572") {
		t.Fatalf("iptables-nft makes no load of -i +: %s", bytes[1])
	}
	err := fw.Edit(t.Context(), func(e *backend.Edit) error {
		e.Chain(table.Filter.IPv4(), "FORWARD").AppendUnique(rule.Accept(), rule.Drop())
		return nil
	})
	if got := exttest.RuleBytes(t, h, program.IP, "filter", "FORWARD"); err != nil || len(got) != 3 || within(got, bytes) != "" {
		t.Errorf("%v: after an edit the rules are\n%s\nwere\n%s", err, strings.Join(got, "\n"), strings.Join(bytes, "\n"))
	}
	sameText(t, fw, x, nf.IPv4)
}
