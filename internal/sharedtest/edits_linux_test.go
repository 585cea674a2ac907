package sharedtest

import (
	"flag"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/backend"
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

var (
	edits = flag.Int("sharedtest.edits", 300, "how many random edits are made, of each family")
	seed  = flag.Int64("sharedtest.seed", 1, "what the edits' randomness begins with")
)

// pool are the rules that edits are made of; %s is an address of the family.
var pool = []string{
	"-j ACCEPT", "-j DROP", "-j RETURN", "", "-s %s -j DROP", "! -d %s -j ACCEPT", "-i lo -j ACCEPT", "! -i eth+ -p tcp -j DROP",
	"-p tcp -m tcp --dport 22 -j ACCEPT", "-p tcp -m tcp --sport 1024:65535 --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
	"-p tcp -m tcp --sport 5 --dport 6 -j DROP", "-p udp -m udp ! --dport 53 -j DROP", "-p udp -m udp --sport 0:1023", "-p tcp -m tcp --tcp-option 3",
	"-p tcp -m multiport --dports 25,80,1000:2000 -j ACCEPT", "-p udp -m multiport ! --ports 1,2 -j DROP",
	"-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-m state --state INVALID -j DROP", "-m conntrack ! --ctstate NEW -m comment --comment x",
	"-m mark --mark 0x1/0xff -j ACCEPT", "-m connmark ! --mark 0x5", "-m limit --limit 5/min --limit-burst 7 -j LOG --log-prefix \"seen: \"",
	"-m limit --limit 3/hour", "-m length --length 10:100 -j DROP", "-m pkttype --pkt-type multicast -j ACCEPT", "-m statistic --mode nth --every 3 --packet 1",
	"-m statistic --mode random --probability 0.50000000000 -j DROP", "-m comment --comment \"two words\" -j ACCEPT", "-p esp -j ACCEPT", "! -p udp -j DROP",
	"-m addrtype --dst-type LOCAL -j ACCEPT", "-j NFLOG --nflog-prefix p --nflog-group 3", "-j LOG --log-prefix \"a \" --log-level 6",
	"-p tcp -j REJECT --reject-with tcp-reset", "-j MARK --set-xmark 0x7/0xffffffff", "-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
	"-s %s -d %s -i eth0 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -m comment --comment web -j ACCEPT",
}

// names are the user chains that come and go: some are words of nft's grammar.
var names = []string{"a", "b", "log", "tcp", "1abc", "f2b:sshd", "DOCKER-USER"}

// Random edits by iptables-nft and by us in turn, on one table: at every step
// both print the same.
func TestEditsInTurn(t *testing.T) {
	for name, family := range families {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := host(t)
			x, fw := real(t, h, family), open(t, h)
			x.Must("-P", "INPUT", "ACCEPT")
			r := rand.New(rand.NewSource(*seed))
			for i := range *edits {
				e := nextEdit(t, r, fw, family)
				by := "iptables-nft"
				if r.Intn(2) == 0 {
					by = "we"
				}
				refused := e.by(t, by, fw, x, family)
				if refused != e.bad {
					t.Fatalf("edit %d, %s: %s: refused %t, want %t", i+1, by, e.line, refused, e.bad)
				}
				if !sameText(t, fw, x, family) {
					t.Fatalf("seed %d, after edit %d, %s: %s", *seed, i+1, by, e.line)
				}
			}
		})
	}
}

// edit is one edit, for iptables as a line and for us as a function.
type edit struct {
	line string
	do   func(e *backend.Edit) error
	bad  bool // nobody may take it
}

// by makes the edit, and says whether it was refused.
func (e edit) by(t *testing.T, who string, fw *backend.Firewall, x *oracle.IPTables, f nf.Family) (refused bool) {
	t.Helper()
	if who != "we" {
		r := x.Restore("*filter\n"+e.line+"\nCOMMIT\n", "--noflush")
		if (r.Exit != 0) != e.bad {
			t.Log(r.Stderr)
		}
		return r.Exit != 0
	}
	err := fw.Edit(t.Context(), e.do)
	if (err != nil) != e.bad {
		t.Log(err)
	}
	return err != nil
}

// drawn is a table and what an edit is drawn from.
type drawn struct {
	*rand.Rand
	t      *testing.T
	family nf.Family
	id     table.ID
	tab    table.Table
}

// nextEdit draws an edit that fits the table as it is, or, now and then, does not.
func nextEdit(t *testing.T, r *rand.Rand, fw *backend.Firewall, f nf.Family) edit {
	t.Helper()
	d := drawn{Rand: r, t: t, family: f, id: table.Filter.For(f)}
	rs, err := fw.Read(t.Context(), d.id)
	if err != nil {
		t.Fatal(err)
	}
	tab, _ := rs.Table(d.id)
	d.tab = tab.Complete()
	for {
		kinds := [...]func() (edit, bool){
			d.append, d.append, d.append, d.insert, d.insert, d.deleteAt, d.deleteRule, d.replace, d.replace,
			d.new, d.remove, d.flush, d.policy, d.zero, d.rename, d.missing,
		}
		if e, ok := kinds[r.Intn(len(kinds))](); ok {
			e.bad = e.bad || strings.Contains(e.line, " OUTPUT ") && strings.Contains(e.line, "-i ")
			return e
		}
	}
}

// chain draws a chain.
func (d drawn) chain() chain.Chain {
	all := slices.Collect(d.tab.Chains())
	return all[d.Intn(len(all))]
}

// rule draws a rule for a chain: one of the pool, or one that goes on to a user
// chain whose name comes later, so that there are no loops.
func (d drawn) rule(from string) (string, rule.Rule) {
	text := pool[d.Intn(len(pool))]
	addr := [...]string{"10.0.0.1/32", "10.1.0.0/16", "192.168.1.128/25"}[d.Intn(3)]
	if d.family == nf.IPv6 {
		addr = [...]string{"fd00::1/128", "2001:db8::/32", "fd00:1::/33"}[d.Intn(3)]
	}
	text = strings.ReplaceAll(text, "%s", addr)
	if to := names[d.Intn(len(names))]; d.Intn(4) == 0 && to > from || chain.IsBuiltIn(from) && d.Intn(8) == 0 {
		if _, ok := d.tab.Chain(to); ok {
			text = fmt.Sprintf("-p %s -%s %s", [...]string{"tcp", "udp", "sctp"}[d.Intn(3)], [...]string{"j", "g"}[d.Intn(2)], to)
		}
	}
	r, err := rule.Parse(text, d.family)
	if err != nil {
		d.t.Fatalf("%s: %v", text, err)
	}
	return text, r
}

// preset puts counters before a rule, sometimes.
func (d drawn) preset(r rule.Rule) (string, rule.Rule) {
	if d.Intn(3) > 0 {
		return "", r
	}
	n := nf.Counters{Packets: uint64(d.Intn(1000)), Bytes: uint64(d.Intn(100000))}
	return fmt.Sprintf("-c %d %d ", n.Packets, n.Bytes), r.WithCounters(n)
}

// on is an edit of a chain.
func (d drawn) on(name, line string, do func(c *backend.ChainEdit)) (edit, bool) {
	return edit{line: line, do: func(e *backend.Edit) error { do(e.Chain(d.id, name)); return nil }}, true
}

func (d drawn) append() (edit, bool) {
	c := d.chain().Name()
	text, r := d.rule(c)
	count, r := d.preset(r)
	return d.on(c, "-A "+c+" "+count+text, func(c *backend.ChainEdit) { c.Append(r) })
}

func (d drawn) insert() (edit, bool) {
	c := d.chain()
	n := 1 + d.Intn(c.Len()+1)
	text, r := d.rule(c.Name())
	count, r := d.preset(r)
	return d.on(c.Name(), fmt.Sprintf("-I %s %d %s%s", c.Name(), n, count, text), func(c *backend.ChainEdit) { c.Insert(n, r) })
}

// at draws a rule that is there.
func (d drawn) at() (c chain.Chain, n int, r rule.Rule, ok bool) {
	if c = d.chain(); c.Len() == 0 {
		return c, 0, r, false
	}
	n = 1 + d.Intn(c.Len())
	for i, x := range c.Rules() {
		if i == n {
			r = x
		}
	}
	return c, n, r, true
}

func (d drawn) deleteAt() (edit, bool) {
	c, n, _, ok := d.at()
	if !ok {
		return edit{}, false
	}
	return d.on(c.Name(), fmt.Sprintf("-D %s %d", c.Name(), n), func(c *backend.ChainEdit) { c.DeleteAt(n) })
}

func (d drawn) deleteRule() (edit, bool) {
	c, _, r, ok := d.at()
	if !ok {
		return edit{}, false
	}
	return d.on(c.Name(), fmt.Sprintf("-D %s %s", c.Name(), r), func(c *backend.ChainEdit) { c.Delete(r) })
}

func (d drawn) replace() (edit, bool) {
	c, n, _, ok := d.at()
	if !ok {
		return edit{}, false
	}
	text, r := d.rule(c.Name())
	count, r := d.preset(r)
	return d.on(c.Name(), fmt.Sprintf("-R %s %d %s%s", c.Name(), n, count, text), func(c *backend.ChainEdit) { c.Replace(n, r) })
}

func (d drawn) new() (edit, bool) {
	name := names[d.Intn(len(names))]
	if _, there := d.tab.Chain(name); there {
		return edit{}, false
	}
	return d.on(name, "-N "+name, func(c *backend.ChainEdit) { c.New() })
}

// used says whether a rule goes to a chain.
func (d drawn) used(name string) bool {
	for c := range d.tab.Chains() {
		for _, r := range c.Rules() {
			if r.Retarget(name, "another").Target() != r.Target() {
				return true
			}
		}
	}
	return false
}

// remove takes away a chain that is empty and that nothing goes to: ours takes
// its rules with it.
func (d drawn) remove() (edit, bool) {
	c := d.chain()
	if chain.IsBuiltIn(c.Name()) || c.Len() > 0 || d.used(c.Name()) {
		return edit{}, false
	}
	return d.on(c.Name(), "-X "+c.Name(), func(c *backend.ChainEdit) { c.Remove() })
}

func (d drawn) flush() (edit, bool) {
	c := d.chain().Name()
	if d.Intn(3) > 0 {
		return edit{}, false
	}
	return d.on(c, "-F "+c, func(c *backend.ChainEdit) { c.Flush() })
}

func (d drawn) policy() (edit, bool) {
	c := d.chain().Name()
	if !chain.IsBuiltIn(c) {
		return edit{}, false
	}
	p := [...]chain.Policy{chain.Accept, chain.Drop}[d.Intn(2)]
	return d.on(c, fmt.Sprintf("-P %s %v", c, p), func(c *backend.ChainEdit) { c.Policy(p) })
}

func (d drawn) zero() (edit, bool) {
	c := d.chain().Name()
	return d.on(c, "-Z "+c, func(c *backend.ChainEdit) { c.Zero() })
}

// rename keeps the names' order, and so the jumps free of loops.
func (d drawn) rename() (edit, bool) {
	c, to := d.chain().Name(), names[d.Intn(len(names))]
	_, taken := d.tab.Chain(to)
	if chain.IsBuiltIn(c) || taken || d.used(c) || to > c {
		return edit{}, false
	}
	return d.on(c, "-E "+c+" "+to, func(c *backend.ChainEdit) { c.Rename(to) })
}

// missing is an edit of what is not there.
func (d drawn) missing() (edit, bool) {
	c := d.chain()
	n := c.Len() + 2 + d.Intn(3)
	gone, err := rule.Parse("-p sctp -m comment --comment gone -j DROP", d.family)
	if err != nil {
		d.t.Fatal(err)
	}
	lines := [...]string{fmt.Sprintf("-D %s %d", c.Name(), n), fmt.Sprintf("-R %s %d -j DROP", c.Name(), n), fmt.Sprintf("-D %s %s", c.Name(), gone), "-N " + c.Name(), "-F nosuch"}
	dos := [...]func(*backend.Edit){
		func(e *backend.Edit) { e.Chain(d.id, c.Name()).DeleteAt(n) },
		func(e *backend.Edit) { e.Chain(d.id, c.Name()).Replace(n, rule.Drop()) },
		func(e *backend.Edit) { e.Chain(d.id, c.Name()).Delete(gone) },
		func(e *backend.Edit) { e.Chain(d.id, c.Name()).New() },
		func(e *backend.Edit) { e.Chain(d.id, "nosuch").Flush() },
	}
	i := d.Intn(len(lines))
	return edit{line: lines[i], do: func(e *backend.Edit) error { dos[i](e); return nil }, bad: true}, true
}
