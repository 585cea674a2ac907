package match_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Literals of the matches of headers, and what they imply, as iptables would be
// told.
func TestHeaderLiterals(t *testing.T) {
	a, b := netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
	for _, tc := range []struct {
		m    match.Match
		want string
	}{
		{match.AH{Reserved: true}, "-m ah --ahres -j ACCEPT"},
		{match.ESP{SPI: match.Is(match.Number(5))}, "-p esp -m esp --espspi 5 -j ACCEPT"},
		{match.ESP{SPI: match.Is(match.Between(0, 1<<32-1))}, "-p esp -m esp -j ACCEPT"},
		{match.IPComp{CPI: match.Not(match.Between(2, 3))}, "-p ipcomp -m ipcomp ! --ipcompspi 2:3 -j ACCEPT"},
		{match.DSCP{DSCP: match.Is(nf.AF41)}, "-m dscp --dscp 0x22 -j ACCEPT"},
		{match.TOS{TOS: match.Not(nf.TOSMask(0x10, 0x3f))}, "-m tos ! --tos 0x10/0x3f -j ACCEPT"},
		{match.ECN{ECT: match.Not(uint8(0))}, "-m ecn ! --ecn-ip-ect 0 -j ACCEPT"},
		{match.ECN{CWR: match.Is(true), ECE: match.Not(true)}, "-p tcp -m ecn ! --ecn-tcp-ece --ecn-tcp-cwr -j ACCEPT"},
		{match.DCCP{Types: match.Is(match.DCCPRequest | match.DCCPInvalid)}, "-p dccp -m dccp --dccp-types REQUEST,INVALID -j ACCEPT"},
		{match.SCTP{Chunks: match.Is(match.Chunks(match.AnyChunk, match.SCTPChunk{Type: 6, Mask: 1, Flags: 1}, match.SCTPChunk{Type: 0, Mask: 6, Flags: 4}))},
			"-p sctp -m sctp --chunk-types any DATA:Ub,ABORT:T -j ACCEPT"},
		{match.SCTP{Chunks: match.Not(match.EveryChunk(match.OnlyThese))}, "-p sctp -m sctp ! --chunk-types only ALL -j ACCEPT"},
		{match.SCTP{Chunks: match.Is(match.NoChunk(match.AllChunks))}, "-p sctp -m sctp --chunk-types all NONE -j ACCEPT"},
		{match.TCPMSS{MSS: match.Is(match.LengthRange{Min: 0, Max: 536})}, "-p tcp -m tcpmss --mss 0:536 -j ACCEPT"},
		{match.RPFilter{Loose: true, Invert: true}, "-m rpfilter --loose --invert -j ACCEPT"},
		{match.Realm{Realm: match.Is(nf.Mark(10))}, "-m realm --realm 0xa -j ACCEPT"},
		{match.Dst{Opts: match.Is(match.Options(match.IPv6Option{Type: 1, Len: match.Is(uint8(4))}, match.IPv6Option{Type: 5}))}, "-m dst --dst-opts 1:4,5 -j ACCEPT"},
		{match.HBH{Opts: match.Is(match.Options(match.IPv6Option{Type: 5, Len: match.Is(uint8(255))}))}, "-m hbh --hbh-opts 5 -j ACCEPT"},
		{match.EUI64{}, "-m eui64 -j ACCEPT"},
		{match.Frag{First: true, More: true}, "-m frag --fragfirst --fragmore -j ACCEPT"},
		{match.IPv6Header{Headers: match.Is(match.HeaderHopByHop | match.HeaderProtocol)}, "-m ipv6header --header hop-by-hop,protocol -j ACCEPT"},
		{match.MH{Type: match.Is(match.MHType(5))}, "-p mobility-header -m mh --mh-type 5 -j ACCEPT"},
		{match.RT{Type: match.Is(uint32(0)), Addrs: match.Is(match.Via(a, b)), NotStrict: true}, "-m rt --rt-type 0 --rt-0-addrs fd00::1,fd00::2 --rt-0-not-strict -j ACCEPT"},
		{match.SRH{SegsLeft: match.SRHNumber{Gt: match.Is(uint8(0))}, Last: match.Not(netip.PrefixFrom(a, 64))}, "-m srh --srh-segs-left-gt 0 ! --srh-lsid fd00::1/64 -j ACCEPT"},
	} {
		if r := rule.Accept(tc.m); r.Err() != nil || r.String() != tc.want {
			t.Errorf("%+v is %v, want %s: %v", tc.m, r, tc.want, r.Err())
		}
	}
	if r := rule.Accept(match.Source(netip.MustParsePrefix("10.0.0.0/8")), match.AH{}); r.String() != "-s 10.0.0.0/8 -p ah -m ah -j ACCEPT" {
		t.Errorf("AH of IPv4 is %v", r)
	}
}

func TestHeaderLiteralsThatCannotBeProgrammed(t *testing.T) {
	many := make([]netip.Addr, 17)
	for i := range many {
		many[i] = netip.MustParseAddr("fd00::1")
	}
	flagged := make([]match.SCTPChunk, 5)
	for i := range flagged {
		flagged[i] = match.SCTPChunk{Type: uint8(i), Mask: 0x80}
	}
	chunks := func(list ...match.SCTPChunk) match.SCTP {
		return match.SCTP{Chunks: match.Is(match.Chunks(match.AnyChunk, list...))}
	}
	for _, tc := range []struct {
		want string
		m    match.Match
	}{
		{"min > max", match.AH{SPI: match.Is(match.Between(2, 1))}},
		{"min > max", match.ESP{SPI: match.Not(match.Between(2, 1))}},
		{"must be specified", match.IPComp{}},
		{"must be specified", match.DSCP{}},
		{"0-63", match.DSCP{DSCP: match.Is(nf.DSCP(64))}},
		{"must be specified", match.TOS{}},
		{"TOS not given", match.TOS{TOS: match.Is(nf.TOSBits{})}},
		{"some option", match.ECN{}},
		{"says nothing", match.ECN{CWR: match.Is(false)}},
		{"out of range", match.ECN{ECT: match.Is(uint8(4))}},
		{"no list", match.DCCP{Types: match.Is(match.DCCPTypes(0))}},
		{"no list", match.DCCP{Types: match.Is(match.DCCPTypes(1 << 15))}},
		{"no option", match.DCCP{Option: match.Is(uint8(0))}},
		{"port not given", match.DCCP{Sport: match.Is(nf.Ports{})}},
		{"port not given", match.SCTP{Dport: match.Is(nf.Ports{})}},
		{"match type", match.SCTP{Chunks: match.Is(match.SCTPChunks{})}},
		{"match type", match.SCTP{Chunks: match.Is(match.Chunks(3, match.SCTPChunk{}))}},
		{"no chunk", chunks()},
		{"no name for chunk type 77", chunks(match.SCTPChunk{Type: 77})},
		{"invalid flags", chunks(match.SCTPChunk{Type: 1, Mask: 1})},
		{"invalid flags", chunks(match.SCTPChunk{Type: 64, Mask: 1})},
		{"not looked at", chunks(match.SCTPChunk{Type: 0, Mask: 1, Flags: 3})},
		{"exceeds", chunks(flagged...)},
		{"must be specified", match.TCPMSS{}},
		{"must be specified", match.Realm{}},
		{"empty list", match.Dst{Opts: match.Is(match.IPv6Options{})}},
		{"empty list", match.HBH{Opts: match.Is(match.Options())}},
		{"too many", match.Dst{Opts: match.Is(match.Options(make([]match.IPv6Option, 17)...))}},
		{"no length", match.HBH{Opts: match.Is(match.Options(match.IPv6Option{Len: match.Is(uint8(1))}))}},
		{"cannot be inverted", match.HBH{Opts: match.Not(match.Options(match.IPv6Option{Type: 1}))}},
		{"cannot be inverted", match.Dst{Opts: match.Is(match.Options(match.IPv6Option{Type: 1, Len: match.Not(uint8(1))}))}},
		{"together", match.Frag{More: true, Last: true}},
		{"must be specified", match.IPv6Header{}},
		{"empty list", match.IPv6Header{Headers: match.Is(match.IPv6Headers(0))}},
		{"min > max", match.MH{Type: match.Is(match.MHTypes{Min: 2, Max: 1})}},
		{"need --rt-type 0", match.RT{Reserved: true}},
		{"need --rt-type 0", match.RT{Type: match.Not(uint32(0)), Addrs: match.Is(match.Via(many[0]))}},
		{"needs --rt-0-addrs", match.RT{Type: match.Is(uint32(0)), NotStrict: true}},
		{"too many", match.RT{Type: match.Is(uint32(0)), Addrs: match.Is(match.Via(many...))}},
		{"empty list", match.RT{Type: match.Is(uint32(0)), Addrs: match.Is(match.Hops{})}},
		{"bad address", match.RT{Type: match.Is(uint32(0)), Addrs: match.Is(match.Via(netip.MustParseAddr("10.0.0.1")))}},
		{"bad address", match.RT{Type: match.Is(uint32(0)), Addrs: match.Is(match.Via(netip.Addr{}))}},
		{"cannot be inverted", match.RT{Type: match.Is(uint32(0)), Addrs: match.Not(match.Via(many[0]))}},
		{"one number", match.SRH{Len: match.SRHNumber{Gt: match.Is(uint8(1)), Lt: match.Is(uint8(4))}}},
		{"no IPv6 prefix", match.SRH{Next: match.Is(netip.MustParsePrefix("10.0.0.0/8"))}},
		{"no IPv6 prefix", match.SRH{Next: match.Is(netip.Prefix{})}},
	} {
		if err := rule.Accept(tc.m).Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %q in it", tc.m, err, tc.want)
		}
	}
}

// FuzzReadHeaders offers the kernel's forms of the matches of headers with any
// bytes: they are read, as themselves or not, and what was read compiles to those
// bytes again.
func FuzzReadHeaders(f *testing.F) {
	// The kernel takes them behind their protocol only.
	protos := map[string]nf.Protocol{"esp": nf.ESP, "ipcomp": 108, "tcpmss": nf.TCP, "dccp": nf.DCCP, "sctp": nf.SCTP, "mh": nf.MH, "ecn": nf.TCP}
	for _, s := range []struct {
		name string
		rev  uint8
		size int
	}{
		{"ah", 0, 16}, {"esp", 0, 16}, {"ipcomp", 0, 16}, {"ecn", 0, 8}, {"dscp", 0, 8}, {"tos", 1, 8}, {"tcpmss", 0, 8}, {"rpfilter", 0, 8}, {"realm", 0, 16},
		{"dccp", 0, 16}, {"sctp", 0, 296}, {"dst", 0, 40}, {"hbh", 0, 40}, {"eui64", 0, 8}, {"frag", 0, 16}, {"ipv6header", 0, 8}, {"mh", 0, 8}, {"rt", 0, 280}, {"srh", 1, 112},
	} {
		for _, b := range []string{"\x00", "\x01", "\x04", "\x10", "\xff"} {
			f.Add(s.name, s.rev, strings.Repeat(b, s.size))
		}
	}
	f.Fuzz(func(t *testing.T, name string, rev uint8, info string) {
		if name == "" || len(name) > 28 || strings.ContainsAny(name, "\x00\n") {
			return
		}
		in := &program.Rule{Exprs: []program.Expr{program.XTMatch{Name: name, Rev: uint32(rev), Info: info}, program.Counter{}, program.Verdict{Kind: program.NFAccept}}}
		if p := protos[name]; p != 0 {
			in.Exprs = append([]program.Expr{program.Meta{Key: program.MetaL4Proto, Reg: 1}, program.Cmp{Reg: 1, Value: program.Bytes(byte(p))}}, in.Exprs...)
		}
		for _, env := range []program.Env{
			{Family: program.IP, Table: "raw", Plain: true}, {Family: program.IP6, Table: "mangle"}, {Family: program.Inet, Table: "mangle"},
		} {
			r, _, err := compile.ReadRule(in, env)
			if err != nil {
				t.Fatal(err)
			}
			if r.Opaque() {
				continue
			}
			again, err := compile.Rule(r, env, true, 0)
			if err == nil && !again.Same(in) {
				t.Fatalf("%v compiles to\n%swant\n%s", r, program.Dump(again.Exprs), program.Dump(in.Exprs))
			}
		}
	})
}

// What iptables -L prints without -n, where that is not what it prints with it.
func TestHeaderListingsWithNames(t *testing.T) {
	names := &option.Lister{Service: func(port uint16, _ nf.Protocol) (string, bool) { return "http", port == 80 }}
	for _, tc := range []struct {
		m    match.Match
		want string
	}{
		{match.TOS{TOS: match.Is(nf.TOSMask(0x10, 0x3f))}, "tos match Minimize-Delay"},
		{match.TOS{TOS: match.Not(nf.TOSMask(0x02, 0x3f))}, "tos match! Minimize-Cost"},
		{match.TOS{TOS: match.Is(nf.TOS(0x10))}, "tos match0x10/0xff"},
		{match.Realm{Realm: match.Not(nf.Mark(0))}, "! realm cosmos"},
		{match.Realm{Realm: match.Is(nf.MarkMask(0, 0xff))}, "realm 0x0/0xff"},
		{match.DCCP{Dport: match.Is(nf.Port(80)), Types: match.Not(match.DCCPInvalid | match.DCCPAck)}, "dccp dpt:http ! ACK,INVALID"},
		{match.SCTP{Chunks: match.Is(match.Chunks(match.AnyChunk, match.SCTPChunk{Type: 0, Mask: 3, Flags: 1}, match.SCTPChunk{Type: 64}))}, "sctp any DATA:bE,I_DATA"},
		{match.IPv6Header{Headers: match.Not(match.HeaderHopByHop | match.HeaderFragment), Soft: true}, "ipv6header flags:!hop-by-hop,ipv6-frag soft"},
		{match.MH{Type: match.Not(match.MHTypes{Min: 1, Max: 3})}, "mh !home-test-init:home-test"},
		{match.MH{Type: match.Is(match.MHTypes{Min: 5, Max: 255})}, "mh binding-update:255"},
	} {
		if got := match.Extension(tc.m).ListText(tc.m, names); got != tc.want {
			t.Errorf("%+v is listed as %q, want %q", tc.m, got, tc.want)
		}
	}
}
