package rule_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// The traps that an API for firewalls can set, each shut.

func refused(t *testing.T, want string, r rule.Rule) {
	t.Helper()
	if r.Err() == nil || !strings.Contains(r.Err().Error(), want) {
		t.Errorf("%v: %v, want an error with %q", r, r.Err(), want)
	}
}

func TestWhatIsForgottenNeverWidensARule(t *testing.T) {
	var bad netip.Prefix // as netip.ParsePrefix leaves it beside an error nobody looked at
	var proto nf.Protocol
	refused(t, "invalid", rule.Accept(match.Source(bad)))
	refused(t, "invalid", rule.Accept(match.Source(netip.Addr{})))
	refused(t, "invalid", rule.Accept(match.Address{}))
	refused(t, "empty", rule.Accept(match.In("")))
	refused(t, "empty", rule.Accept(match.Iface{}))
	refused(t, "not given", rule.Accept(match.Proto(proto)))
	refused(t, "no --dport", rule.Accept(match.Dport(proto, 22)))
	refused(t, "needs a protocol", rule.Accept(match.Dports(proto, 22)))
	refused(t, "no connection state", rule.Accept(match.States(0)))
	refused(t, "mark not given", rule.Accept(match.Marked(nf.MarkBits{})))
	refused(t, "nil match", rule.Accept(nil))
	refused(t, "nil match", rule.Accept((*match.TCP)(nil)))
	refused(t, "no target", rule.New(nil))
	refused(t, "empty", rule.Jump(""))
	refused(t, "mark not given", rule.New(target.SetMark(nf.MarkBits{})))
	refused(t, "port 0", rule.New(target.DNATTo(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), 0))))
	refused(t, "empty", rule.Accept(match.Dports(nf.TCP)))
	refused(t, "empty", rule.Accept(match.Comment("")))
}

func TestZeroIsNotAbsent(t *testing.T) {
	for want, r := range map[string]rule.Rule{
		"-m owner --uid-owner 0 -j ACCEPT":   rule.Accept(match.Owner{UID: match.Is(match.ID(0))}),
		"-m mark --mark 0x0 -j ACCEPT":       rule.Accept(match.Marked(nf.Mark(0))),
		"-m mark ! --mark 0x0 -j ACCEPT":     rule.Accept(match.Mark{Mark: match.Not(nf.Mark(0))}),
		"-p tcp -m tcp --dport 0 -j ACCEPT":  rule.Accept(match.Dport(nf.TCP, 0)),
		"-j MARK --set-xmark 0x0/0xffffffff": rule.New(target.SetMark(nf.Mark(0))),
	} {
		if r.String() != want {
			t.Errorf("got %q, want %q", r, want)
		}
	}
}

func TestMappedAddressIsIPv4(t *testing.T) {
	r := rule.Drop(match.Source(netip.MustParseAddr("::ffff:192.0.2.1")))
	if r.Family() != nf.IPv4 || r.String() != "-s 192.0.2.1/32 -j DROP" {
		t.Error(r.Family(), r)
	}
}

func TestFamiliesThatExcludeEachOther(t *testing.T) {
	refused(t, "IPv4", rule.Accept(match.Source(netip.MustParseAddr("2001:db8::1")), match.ICMP{}))
	refused(t, "IPv", rule.New(target.DNATTo(netip.MustParseAddrPort("[2001:db8::1]:80")), match.Dest(netip.MustParseAddr("192.0.2.1"))))
	refused(t, "IPv", rule.Accept(match.Only(nf.IPv6), match.Whole()))
}

func TestWildcardNameIsNotTakenForAName(t *testing.T) {
	refused(t, "InPrefix", rule.Accept(match.In("eth+")))
	refused(t, "InPrefix", rule.Accept(match.In("+")))
}

func TestContradictingProtocols(t *testing.T) {
	refused(t, "twice", rule.Accept(match.Proto(nf.UDP), match.Dport(nf.TCP, 22)))
	refused(t, "twice", rule.Accept(match.Proto(nf.UDP), match.Proto(nf.TCP)))
}

func TestRulesAreValues(t *testing.T) {
	ms := []match.Match{match.In("lo")}
	r := rule.New(target.Accept, ms...)
	ms[0] = match.In("eth0")
	if r.String() != "-i lo -j ACCEPT" {
		t.Error(r)
	}
	p := &match.TCP{Dport: match.Is(nf.Port(22))}
	r = rule.Accept(p)
	p.Dport = match.Is(nf.Port(23))
	if m, ok := rule.Find[match.TCP](r); !ok || m.Dport != match.Is(nf.Port(22)) {
		t.Error("a pointer got through", r)
	}
	for _, m := range []any{match.TCP{}, match.Multiport{}, match.Conntrack{}, match.Raw{}, match.XT{}, target.DNAT{}, target.Log{}} {
		if !reflect.TypeOf(m).Comparable() {
			t.Errorf("%T is not comparable", m)
		}
	}
}

func TestOrderOfHeaderMatchesDoesNotMatter(t *testing.T) {
	a := rule.Accept(match.Out("eth1"), match.In("eth0"), match.Dport(nf.TCP, 22))
	b := rule.Accept(match.Proto(nf.TCP), match.In("eth0"), match.Dport(nf.TCP, 22), match.Out("eth1"))
	if !a.Equal(b) {
		t.Errorf("%v\n%v", a, b)
	}
}
