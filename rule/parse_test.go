package rule_test

import (
	"errors"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// What iptables 1.8.9 saves for what it is given.
func TestParsePrintsAsIptablesSaves(t *testing.T) {
	for in, want := range map[string]string{
		"-j ACCEPT":                   "-j ACCEPT",
		"":                            "",
		"-p tcp --dport 22 -j ACCEPT": "-p tcp -m tcp --dport 22 -j ACCEPT",
		"-j ACCEPT -o eth+ ! -i lo -p 6 -d 10.1 -s 1.2.3.4/8": "-s 1.0.0.0/8 -d 10.1.0.0/32 ! -i lo -o eth+ -p tcp -j ACCEPT",
		"-s 1.2.3.4/255.0.255.0 -p all -i + -g FOO":           "-s 1.0.3.0/255.0.255.0 -g FOO",
		"-s 0/0 -j DROP":                     "-j DROP",
		"! -s 0/0 -j DROP":                   "! -s 0.0.0.0/0 -j DROP",
		"-m tcp --dpor 5 -p tcp":             "-p tcp -m tcp --dport 5",
		"-ptcp --sport=:1023 ! --syn -jDROP": "-p tcp -m tcp --sport 0:1023 ! --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
		`-m comment --comment "a \"b\" c" -m comment --comment x`: `-m comment --comment "a \"b\" c" -m comment --comment x`,
		"-p icmp -m icmp --icmp-type 3 -m icmp --icmp-t 4":        "-p icmp -m icmp --icmp-type 3 -m icmp --icmp-type 4",
		`-p " 6" -j DROP`:                           "-p tcp -j DROP",
		"-p ip -j DROP":                             "-j DROP",
		"! -f -c 5 6 -j RETURN":                     "! -f -j RETURN",
		"-p tcp --sour 22 --in-i lo --frag":         "-s 22.0.0.0/32 -i lo -p tcp -f",
		"-s any/0 ! -d x/0.0.0.0 -j DROP":           "! -d 0.0.0.0/0 -j DROP",
		`-j "DROP"-m comment --comment "a b"-p tcp`: `-p tcp -m comment --comment "a b" -j DROP`,
	} {
		r, err := rule.Parse(in, nf.IPv4)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if r.String() != want {
			t.Errorf("%s:\n got %s\nwant %s", in, r, want)
		}
		again, err := rule.Parse(r.String(), nf.IPv4)
		if err != nil || !again.Equal(r) {
			t.Errorf("%s does not come back: %v %v", r, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]struct {
		column int
		err    error
	}{
		"-p tcp --dport 65536":                {8, nil},
		"--dport 22":                          {1, rule.ErrUnknownOption},
		"-m tcp --dport 22":                   {4, rule.ErrProtocol},
		"-p udp -m tcp":                       {11, rule.ErrProtocol},
		"-p tcp -p udp":                       {8, rule.ErrTwice},
		"-j ACCEPT !":                         {11, rule.ErrBang},
		"-p tcp --dport":                      {8, rule.ErrMissing},
		"-m nosuch":                           {1, rule.ErrUnknownMatch},
		`-m comment --comment "a`:             {22, nil},
		`-j ""DROP""`:                         {1, nil},
		"-c 0x5 6":                            {1, nil},
		"-c 5 6 -c 5 6":                       {8, rule.ErrTwice},
		"-j REJECT --re net":                  {11, rule.ErrUnknownOption}, // or --replace
		"-p tcp -m tcp --sour 22":             {15, rule.ErrUnknownOption},
		"-p tcp -m tcp -m multiport --dpo 22": {28, rule.ErrUnknownOption},
		"-i thisnameistoolong":                {1, nil},
		"! -s 1.2.3.4 -d 1.2.3.4,1.2.3.5":     {1, nil},
		"-p tcp --syn=x":                      {8, rule.ErrUnknownOption},
		"-s 1.2.3.4,1.2.3.5 -j X":             {1, nil},
	} {
		_, err := rule.Parse(in, nf.IPv4)
		var se *rule.SyntaxError
		if !errors.As(err, &se) || se.Column != want.column || want.err != nil && !errors.Is(err, want.err) {
			t.Errorf("%s: %v, want column %d and %v", in, err, want.column, want.err)
		}
	}
}

// What stands before a mask of no bits is not looked at; without a mask an
// address must be one, of its family.
func TestOnlyAMaskOfNoBitsIsEveryAddress(t *testing.T) {
	for _, tc := range []struct {
		f        nf.Family
		in       string
		accepted bool
	}{
		{nf.IPv4, "any/0", true}, {nf.IPv4, "any/0x0", true}, {nf.IPv4, "any/0.00.0.0", true}, {nf.IPv4, "any/0/0", true}, {nf.IPv4, "/0", true},
		{nf.IPv4, "any", false}, {nf.IPv4, "any/", false}, {nf.IPv4, "any/1", false}, {nf.IPv4, "any/::", false},
		{nf.IPv6, "any/0", true}, {nf.IPv6, "0/0", true}, {nf.IPv6, "any/::", true}, {nf.IPv6, "any/0::", true}, {nf.IPv6, "any/0/0", true},
		{nf.IPv6, "0", false}, {nf.IPv6, "+0", false}, {nf.IPv6, "0x0", false}, {nf.IPv6, "any/", false}, {nf.IPv6, "any/0.0.0.0", false},
	} {
		rs, err := rule.ParseLine("-s "+tc.in+" -j DROP", tc.f)
		if (err == nil) != tc.accepted || tc.accepted && rs[0].String() != "-j DROP" {
			t.Errorf("-s %s, %v: %v, %v", tc.in, tc.f, rs, err)
		}
	}
}

func TestAddressListsAreSeveralRules(t *testing.T) {
	rs, err := rule.ParseArgs([]string{"-s", "10.0.0.1,10.0.0.2", "-d", "10.1.0.1,10.1.0.2", "-j", "DROP"}, nf.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-s 10.0.0.1/32 -d 10.1.0.1/32 -j DROP", "-s 10.0.0.1/32 -d 10.1.0.2/32 -j DROP",
		"-s 10.0.0.2/32 -d 10.1.0.1/32 -j DROP", "-s 10.0.0.2/32 -d 10.1.0.2/32 -j DROP",
	}
	for i, r := range rs {
		if i >= len(want) || r.String() != want[i] {
			t.Errorf("rule %d: %s", i, r)
		}
	}
	if len(rs) != len(want) {
		t.Errorf("%d rules", len(rs))
	}
}
