package match_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func TestPortFunctionsSayWhatTheyMean(t *testing.T) {
	for want, m := range map[string]match.Match{
		"-p tcp -m tcp --dport 22 -j ACCEPT":            match.Dport(nf.TCP, 22),
		"-p tcp -m tcp --dport 0 -j ACCEPT":             match.Dport(nf.TCP, 0),
		"-p tcp -m tcp --sport 22 -j ACCEPT":            match.Sport(nf.TCP, 22),
		"-p udp -m udp --dport 53 -j ACCEPT":            match.Dport(nf.UDP, 53),
		"-p udp -m udp --sport 53 -j ACCEPT":            match.Sport(nf.UDP, 53),
		"-p sctp -m multiport --dports 5 -j ACCEPT":     match.Dport(nf.SCTP, 5),
		"-p dccp -m multiport --sports 5 -j ACCEPT":     match.Sport(nf.DCCP, 5),
		"-p tcp -m multiport --dports 80,25 -j ACCEPT":  match.Dports(nf.TCP, 80, 25),
		"-p udplite -m multiport --dports 1 -j ACCEPT":  match.Dports(nf.UDPLite, 1),
		"-p tcp -m multiport ! --ports 5:9 -j ACCEPT":   match.Multiport{Proto: nf.TCP, Ports: match.Not(nf.List(nf.PortRange(5, 9)))},
		"-p tcp -m multiport --sports 5,6:9 -j ACCEPT":  match.Multiport{Proto: nf.TCP, Sports: match.Is(nf.List(nf.Port(5), nf.PortRange(6, 9)))},
		"-p udp -m udp ! --dport 0:65535 -j ACCEPT":     match.UDP{Dport: match.Not(nf.PortRange(0, 65535))},
		"-p tcp -m tcp ! --tcp-flags NONE NONE -j DROP": match.TCP{Flags: match.Not(match.Flags(0, 0))},
	} {
		r := rule.Accept(m)
		if strings.HasSuffix(want, "DROP") {
			r = rule.Drop(m)
		}
		if r.Err() != nil || r.String() != want {
			t.Errorf("%v, %v, want %s", r, r.Err(), want)
		}
	}
}

// Where the protocol is left out the rule's own will do.
func TestMultiportTakesTheRulesProtocol(t *testing.T) {
	r := rule.Accept(match.Multiport{Dports: match.Is(nf.List(nf.Port(5)))}, match.Proto(nf.UDP))
	if want := "-p udp -m multiport --dports 5 -j ACCEPT"; r.Err() != nil || r.String() != want {
		t.Errorf("%v, %v, want %s", r, r.Err(), want)
	}
	parsed, err := rule.Parse(r.String(), nf.IPv4)
	if err != nil || !parsed.Equal(r) {
		t.Errorf("%v, %v is not what was made", parsed, err)
	}
}

func TestPortsThatCannotBeProgrammed(t *testing.T) {
	var none nf.Protocol
	five := match.Is(nf.List(nf.Port(5)))
	for _, tc := range []struct {
		want string
		m    match.Match
	}{
		{"no --dport", match.Dport(none, 22)},
		{"no --sport", match.Sport(none, 22)},
		{"needs a protocol", match.Dports(none, 22)},
		{"no --dports for icmp", match.Dport(nf.ICMP, 22)},
		{"empty", match.Dports(nf.TCP)},
		{"15 at most", match.Dports(nf.TCP, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)},
		{"expects one", match.Multiport{Proto: nf.TCP}},
		{"together", match.Multiport{Proto: nf.TCP, Dports: five, Ports: five}},
		{"backward", match.Multiport{Proto: nf.TCP, Dports: match.Is(nf.List(nf.PortRange(9, 5)))}},
		{"not given", match.TCP{Dport: match.Is(nf.Ports{})}},
		{"backward", match.UDP{Sport: match.Not(nf.PortRange(9, 5))}},
		{"--tcp-option 0", match.TCP{Option: match.Is(uint8(0))}},
		{"must be specified", match.ICMP{}},
		{"must be specified", match.ICMP6{}},
		{"not given", match.ICMP{Type: match.Is(nf.ICMPType{})}},
		{"cannot be any", match.ICMP6{Type: match.Not(nf.AnyType())}},
	} {
		if err := rule.Accept(tc.m).Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want an error with %q", tc.m, err, tc.want)
		}
	}
	if err := rule.Accept(match.Proto(nf.UDP), match.Dports(nf.TCP, 22)).Err(); !errors.Is(err, rule.ErrTwice) {
		t.Errorf("two protocols: %v, want %v", err, rule.ErrTwice)
	}
}

// Only the xt forms are missing from a table for both families.
func TestPortsInATableForBothFamilies(t *testing.T) {
	list := match.Is(nf.List(nf.Port(5), nf.PortRange(7, 9)))
	for _, tc := range []struct {
		m      match.Match
		native bool
	}{
		{match.TCP{Dport: match.Is(nf.Port(5))}, true},
		{match.UDP{Dport: match.Not(nf.Port(5))}, true},
		{match.Multiport{Proto: nf.TCP, Dports: list}, true},
		{match.Multiport{Proto: nf.TCP, Ports: list}, false},
		{match.TCP{Option: match.Is(uint8(8))}, false},
	} {
		c := &program.Code{Env: program.Env{Family: program.Inet}}
		err := tc.m.Compile(c)
		var inexact *program.InexactError
		if ok := errors.As(err, &inexact); ok == tc.native || ok && !inexact.Inet {
			t.Errorf("%+v: %v", tc.m, err)
		}
	}
}
