package target_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

var (
	four = netip.MustParseAddr("192.0.2.1")
	six  = netip.MustParseAddr("2001:db8::1")
	tcp  = match.Proto(nf.TCP)
	syn  = match.TCP{Flags: match.Is(match.SYN)}
)

func TestLiteralsPrintWhatIptablesSaves(t *testing.T) {
	for _, tc := range []struct {
		want string
		r    rule.Rule
	}{
		{"-p tcp -j DNAT --to-destination 192.0.2.1:80", rule.New(target.DNATTo(netip.AddrPortFrom(four, 80)), tcp)},
		{"-p tcp -j DNAT --to-destination [2001:db8::1]:80", rule.New(target.DNATTo(netip.AddrPortFrom(six, 80)), tcp)},
		{"-p tcp -j DNAT --to-destination 192.0.2.1:80", rule.New(target.DNATTo(netip.MustParseAddrPort("[::ffff:192.0.2.1]:80")), tcp)},
		{"-j SNAT --to-source 192.0.2.1 --persistent", rule.New(target.SNAT{To: nf.Addr(four), NATOptions: target.NATOptions{Persistent: true}})},
		{"-j MASQUERADE", rule.New(target.Masquerade{})},
		{"-j REDIRECT", rule.New(target.Redirect{})},
		{"-j LOG", rule.New(target.Log{})},
		{"-j LOG", rule.New(target.Log{Level: target.LogWarning})},
		{"-j LOG --log-level 0", rule.New(target.Log{Level: target.LogEmergency})},
		{"-j REJECT --reject-with port-unreach", rule.New(target.Reject{})},
		{"-4 -j REJECT --reject-with icmp-port-unreachable", rule.New(target.Reject{}, match.Only(nf.IPv4))},
		{"-s 2001:db8::1/128 -j REJECT --reject-with icmp6-addr-unreachable", rule.New(target.Reject{With: target.HostUnreachable}, match.Source(six))},
		{"-j REJECT --reject-with icmp-net-prohibited", rule.New(target.Reject{With: target.NetProhibited})},
		{"-j MARK --set-xmark 0x0/0xffffffff", rule.New(target.SetMark(nf.Mark(0)))},
		{"-j MARK --set-xmark 0x101/0x1ff", rule.New(target.SetMark(nf.MarkMask(0x101, 0xff)))},
		{"-j MARK --set-xmark 0x101/0xff", rule.New(target.SetXMark(nf.MarkMask(0x101, 0xff)))},
		{"-j MARK --set-xmark 0x0/0xffffff00", rule.New(target.AndMark(0xff))},
		{"-j MARK --set-xmark 0xff/0xff", rule.New(target.OrMark(0xff))},
		{"-j MARK --set-xmark 0xff/0x0", rule.New(target.XorMark(0xff))},
		{"-j CONNMARK --set-xmark 0x1/0xffffffff", rule.New(target.SetConnMark(nf.Mark(1)))},
		{"-j CONNMARK --set-xmark 0xf0/0xf0", rule.New(target.OrConnMark(0xf0))},
		{"-j CONNMARK --set-xmark 0x0/0xffffff0f", rule.New(target.AndConnMark(0xf0))},
		{"-j CONNMARK --set-xmark 0xf0/0x0", rule.New(target.XorConnMark(0xf0))},
		{"-j CONNMARK --save-mark --nfmask 0x1 --ctmask 0x2", rule.New(target.SaveMark(1, 2))},
		{"-j CONNMARK --restore-mark --nfmask 0x1 --ctmask 0x2 --left-shift-mark 3", rule.New(target.RestoreMark(1, 2).LeftShift(3))},
		{"-j CONNMARK --save-mark --nfmask 0x1 --ctmask 0x2", rule.New(target.SaveMark(1, 2).RightShift(0))},
		{"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu", rule.New(target.ClampMSS, syn)},
		{"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 1400", rule.New(target.TCPMSS(1400), syn)},
		{"-j NOTRACK", rule.New(target.NoTrack{})},
		{"-j CT --notrack", rule.New(target.CT{NoTrack: true})},
		{"-j CT --ctevents new,destroy --zone-orig mark", rule.New(target.CT{Events: target.EventDestroy | target.EventNew, Zone: target.ZoneMark().Original()})},
		{"-j CT --zone-reply 7", rule.New(target.CT{Zone: target.Zone(7).Reply()})},
	} {
		if err := tc.r.Err(); err != nil || tc.r.String() != tc.want {
			t.Errorf("got  %v, %v\nwant %s", tc.r, err, tc.want)
		}
	}
}

func TestWhatIsForgottenIsRefused(t *testing.T) {
	ports := func(o target.NATOptions) rule.Rule { return rule.New(target.Redirect{NATOptions: o}) }
	for _, tc := range []struct {
		want string
		r    rule.Rule
	}{
		{"mark not given", rule.New(target.SetMark(nf.MarkBits{}))},
		{"mark not given", rule.New(target.MARK{})},
		{"mark not given", rule.New(target.SetConnMark(nf.MarkBits{}))},
		{"no operation", rule.New(target.CONNMARK{})},
		{"32 bits", rule.New(target.SaveMark(1, 1).LeftShift(32))},
		{"port 0", rule.New(target.DNATTo(netip.AddrPortFrom(four, 0)), tcp)},
		{"port 0", rule.New(target.DNATTo(netip.AddrPortFrom(four, 0)))},
		{"invalid", rule.New(target.DNATTo(netip.AddrPort{}), tcp)},
		{"invalid", rule.New(target.SNAT{To: nf.AddrRange(four, six)})},
		{"must be specified", rule.New(target.DNAT{})},
		{"must be specified", rule.New(target.SNAT{})},
		{"need TCP", rule.New(target.DNATTo(netip.AddrPortFrom(four, 80)))},
		{"need TCP", rule.New(target.Masquerade{Ports: nf.Port(80)}, match.NotProto(nf.TCP))},
		{"backward", rule.New(target.Redirect{Ports: nf.PortRange(2, 1)}, tcp)},
		{"shift", rule.New(target.DNAT{To: nf.Addr(four), Ports: nf.Port(1), Shift: 5}, tcp)},
		{"exclude each other", rule.New(target.DNATTo(netip.AddrPortFrom(six, 80)), tcp, match.Dest(four))},
		{"exclude each other", rule.New(target.Reject{With: target.PolicyFail}, match.Source(four))},
		{"--persistent", ports(target.NATOptions{Persistent: true})},
		{"--random-fully", ports(target.NATOptions{RandomFully: true})},
		{"--persistent", rule.New(target.Masquerade{NATOptions: target.NATOptions{Persistent: true}})},
		{"--random-fully", rule.New(target.DNAT{To: nf.Addr(four), NATOptions: target.NATOptions{RandomFully: true}})},
		{"30 bytes", rule.New(target.Log{Prefix: strings.Repeat("x", 30)})},
		{"one line", rule.New(target.Log{Prefix: "a\nb"})},
		{"level", rule.New(target.Log{Level: 9})},
		{"reject type", rule.New(target.Reject{With: 11})},
		{"another -p", rule.New(target.Reject{With: target.TCPReset})},
		{"SYN", rule.New(target.TCPMSS(1400), tcp)},
		{"SYN", rule.New(target.ClampMSS, match.TCP{Flags: match.Not(match.SYN)})},
		{"out of range", rule.New(target.TCPMSS(65516), syn)},
		{"out of range", rule.New(target.TCPMSS(65500), syn, match.Only(nf.IPv6))},
		{"--helper", rule.New(target.CT{Helper: strings.Repeat("x", 16)}, tcp)},
		{"protocol", rule.New(target.CT{Helper: "ftp"})},
		{"event", rule.New(target.CT{Events: 1 << 10})},
		{"event", rule.New(target.CT{ExpEvents: target.EventDestroy})},
	} {
		if err := tc.r.Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: %v, want an error with %q", tc.r, err, tc.want)
		}
	}
	if r := rule.New(target.Masquerade{Ports: nf.Port(80)}); !errors.Is(r.Err(), target.ErrNATPorts) {
		t.Errorf("%v is not ErrNATPorts", r.Err())
	}
	if r := rule.New(target.ClampMSS, tcp); !errors.Is(r.Err(), rule.ErrSYN) {
		t.Errorf("%v is not ErrSYN", r.Err())
	}
}

func TestTargetsAreComparable(t *testing.T) {
	for _, v := range []any{
		target.DNAT{}, target.SNAT{}, target.Masquerade{}, target.Redirect{}, target.Log{}, target.Reject{},
		target.MARK{}, target.CONNMARK{}, target.TCPMSS(0), target.CT{}, target.NoTrack{}, target.Raw{}, target.XT{},
		target.Audit{}, target.Checksum{}, target.Classify{}, target.DSCP{}, target.ECN{}, target.TTL{}, target.HL{}, target.NetMap{},
		target.NFLog{}, target.NFQueue{}, target.TCPOptStrip{}, target.Tee{}, target.TOS{}, target.Trace{},
	} {
		if !reflect.TypeOf(v).Comparable() {
			t.Errorf("%T is not comparable", v)
		}
	}
}

func TestFamilyOfNAT(t *testing.T) {
	for want, r := range map[nf.Family]rule.Rule{
		nf.IPv4: rule.New(target.DNATTo(netip.AddrPortFrom(four, 80)), tcp),
		nf.IPv6: rule.New(target.SNAT{To: nf.Addr(six)}),
		nf.Both: rule.New(target.DNAT{Ports: nf.Port(80)}, tcp),
	} {
		if r.Err() != nil || r.Family() != want {
			t.Errorf("%v is for %v, %v; want %v", r, r.Family(), r.Err(), want)
		}
	}
}

// What the kernel ties to a table's name is an error elsewhere that says what
// would do, and in an inet table one that says that two tables would.
func TestTiedTargets(t *testing.T) {
	shift := rule.New(target.DNAT{To: nf.Addr(four), Ports: nf.PortRange(80, 90), Shift: 1000}, tcp)
	helper := rule.New(target.CT{Helper: "ftp"}, tcp)
	for _, tc := range []struct {
		r     rule.Rule
		table string
	}{
		{shift, "nat"}, {helper, "raw"}, {rule.New(target.IncTTL(1)), "mangle"}, {rule.New(target.Checksum{Fill: true}), "mangle"},
		{rule.New(target.ECN{ECE: target.ECNSet}, tcp), "mangle"}, {rule.New(target.NetMap{To: netip.PrefixFrom(four, 24)}), "nat"},
	} {
		env := program.Env{Family: program.IP, Table: tc.table}
		var inexact *program.InexactError
		if _, err := compile.Rule(tc.r, env, true, 0); !errors.As(err, &inexact) || inexact.Hint == "" || inexact.Inet {
			t.Errorf("%v in an own table: %v", tc.r, err)
		}
		env.Plain = true
		if _, err := compile.Rule(tc.r, env, true, 0); err != nil {
			t.Errorf("%v in iptables' table: %v", tc.r, err)
		}
		env.Family = program.Inet
		if _, err := compile.Rule(tc.r, env, true, 0); !errors.As(err, &inexact) || !inexact.Inet {
			t.Errorf("%v in an inet table: %v", tc.r, err)
		}
		env = program.Env{Family: program.IP, Table: "filter", Plain: true}
		if _, err := compile.Rule(tc.r, env, true, 0); !errors.As(err, &inexact) {
			t.Errorf("%v in another table: %v", tc.r, err)
		}
	}
}

func TestNotInInet(t *testing.T) {
	for _, r := range []rule.Rule{
		rule.New(target.ClampMSS, syn), rule.New(target.SaveMark(1, 1)), rule.New(target.SetConnMark(nf.Mark(1)).LeftShift(1)),
	} {
		var inexact *program.InexactError
		if _, err := compile.Rule(r, program.Env{Family: program.Inet, Table: "mangle"}, true, 0); !errors.As(err, &inexact) || !inexact.Inet {
			t.Errorf("%v: %v", r, err)
		}
	}
}

// nft takes "meta nfproto ipv4" for implied by a TCP reset that follows at once:
// its listing, loaded again, would reject IPv6 too.
func TestUncountedResetForOneFamily(t *testing.T) {
	reset := rule.New(target.Reject{With: target.TCPReset}, tcp)
	one := rule.New(target.Reject{With: target.TCPReset}, tcp, match.Only(nf.IPv4))
	env := program.Env{Family: program.Inet, Table: "filter"}
	for _, tc := range []struct {
		r       rule.Rule
		counted bool
		ok      bool
	}{{reset, false, true}, {one, true, true}, {one, false, false}} {
		_, err := compile.Rule(tc.r, env, tc.counted, 0)
		var inexact *program.InexactError
		if tc.ok != (err == nil) || err != nil && (!errors.As(err, &inexact) || !inexact.Inet) {
			t.Errorf("%v, counted %t: %v", tc.r, tc.counted, err)
		}
	}
}

// A text for both families must not mean one thing to iptables and another to
// ip6tables.
func TestRejectForBothReadsAlike(t *testing.T) {
	for _, with := range []target.RejectType{
		target.PortUnreachable, target.TCPReset, target.AdminProhibited, target.HostUnreachable, target.NetUnreachable,
	} {
		r := rule.New(target.Reject{With: with}, tcp)
		for _, f := range []nf.Family{nf.Both, nf.IPv4, nf.IPv6} {
			got, err := rule.Parse(r.String(), f)
			if err == nil && got.Target() != r.Target() {
				t.Errorf("%v reads %q as %v", f, r, got.Target())
			}
			if err != nil && f == nf.Both {
				t.Errorf("%v: %v", r, err)
			}
		}
	}
}
