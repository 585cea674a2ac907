package match_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// wants compares what a match in Go says as text.
func wants(t *testing.T, want string, m match.Match) {
	t.Helper()
	r := rule.Accept(m)
	if got := r.String(); r.Err() != nil || got != want+" -j ACCEPT" {
		t.Errorf("got %q, %v, want %q", got, r.Err(), want)
	}
}

// refuses wants an error of a match in Go.
func refuses(t *testing.T, want string, m match.Match) {
	t.Helper()
	if err := rule.Accept(m).Err(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%T: %v, want an error with %q", m, err, want)
	}
}

func TestStatesInGo(t *testing.T) {
	wants(t, "-m state --state RELATED,ESTABLISHED", match.States(match.Related|match.Established))
	wants(t, "-m conntrack --ctstate NEW,DNAT", match.CTStates(match.New|match.DNATed))
	wants(t, "-m state ! --state UNTRACKED", match.State{State: match.Not(match.Untracked)})
	refuses(t, "no connection state", match.States(0))
	refuses(t, "no connection state", match.State{})
	refuses(t, "no connection state", match.CTStates(0))
	refuses(t, "no connection state", match.CTStates(0x80))
	refuses(t, "SNAT", match.States(match.SNATed))
}

func TestConntrackInGo(t *testing.T) {
	v4, v6 := nf.NetOf(netip.MustParseAddr("10.0.0.1")), nf.NetOf(netip.MustParsePrefix("2001:db8::/32"))
	// Bits behind the mask are dropped, as everywhere: iptables keeps and ignores them.
	wants(t, "-m conntrack --ctorigdst 10.0.0.0/16",
		match.Conntrack{OrigDest: match.Is(nf.NetOf(netip.MustParsePrefix("10.0.0.9/16")))})
	wants(t, "-m conntrack --ctstatus ASSURED", match.Conntrack{Status: match.Is(match.Assured | match.NoStatus)})
	wants(t, "-m conntrack --ctexpire 1:2 --ctdir REPLY",
		match.Conntrack{Expire: match.Is(match.SecondsRange{First: 1, Last: 2}), Dir: match.ReplyDir})
	if f := rule.Accept(match.Conntrack{ReplySource: match.Is(v6)}).Family(); f != nf.IPv6 {
		t.Errorf("the rule is for %v", f)
	}
	refuses(t, "at least one option", match.Conntrack{})
	refuses(t, "exclude each other", match.Conntrack{OrigSource: match.Is(v4), OrigDest: match.Is(v6)})
	refuses(t, "not given", match.Conntrack{OrigSource: match.Is(nf.Net{})})
	refuses(t, "must be a prefix", match.Conntrack{OrigSource: match.Is(nf.Masked(v4.Addr(), netip.MustParseAddr("255.0.255.0")))})
	refuses(t, "not given", match.Conntrack{Proto: match.Not(nf.Protocol(0))})
	refuses(t, "port not given", match.Conntrack{OrigDport: match.Is(nf.Ports{})})
	refuses(t, "no connection status", match.Conntrack{Status: match.Not(match.CTStatus(0))})
	refuses(t, "backward", match.Conntrack{Expire: match.Is(match.SecondsRange{First: 2, Last: 1})})
	refuses(t, "no direction", match.Conntrack{Dir: 3})
}
