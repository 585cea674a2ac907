//go:build linux

package nft

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// written is a rule in nft's words and what it is in ours.
type written struct {
	chain string
	text  string
	exprs []p.Expr
}

func is(op p.CmpOp, v p.Value) p.Expr { return p.Cmp{Op: op, Reg: 1, Value: v} }
func load(b p.Base, offset, n uint32) p.Expr {
	return p.Payload{Base: b, Offset: offset, Len: n, Reg: 1}
}
func masked(mask, xor p.Value) p.Expr {
	return p.Bitwise{Src: 1, Dst: 1, Len: uint32(len(mask.Data)), Mask: mask, Xor: xor}
}
func in(t p.KeyType, host bool, k ...string) p.Lookup {
	return p.Lookup{Reg: 1, Const: p.ConstSet{Type: t, Len: uint32(len(k[0])), Host: host, Elems: strings.Join(k, "")}}
}
func ranges(l p.Lookup) p.Lookup { l.Const.Interval = true; return l }
func not(l p.Lookup) p.Lookup    { l.Not = true; return l }

// writtenRules are rules of an ip table.
func writtenRules() []written {
	tcp := []p.Expr{p.Meta{Key: p.MetaL4Proto, Reg: 1}, is(p.Eq, p.Host8(6))}
	dport := append(tcp[:2:2], load(p.Transport, 2, 2))
	mark := p.Meta{Key: p.MetaMark, Reg: 1}
	with := func(list []p.Expr, more ...p.Expr) []p.Expr { return append(slices.Clip(list), more...) }
	addr := p.Immediate{Reg: 1, Value: p.Bytes(192, 0, 2, 1)}
	return []written{
		{"in", "ip saddr 10.0.0.1 drop", []p.Expr{load(p.Network, 12, 4), is(p.Eq, p.Bytes(10, 0, 0, 1)), p.Verdict{}}},
		{"in", "ip daddr != 10.0.0.0/9", []p.Expr{load(p.Network, 16, 4), masked(p.Bytes(255, 128, 0, 0), p.Net32(0)), is(p.Ne, p.Bytes(10, 0, 0, 0))}},
		{"in", "tcp dport 25 counter packets 3 bytes 4 accept",
			with(dport, is(p.Eq, p.Net16(25)), p.Counter{Packets: 3, Bytes: 4}, p.Verdict{Kind: p.NFAccept})},
		{"in", "tcp dport != 1-1023", with(dport, p.Range{Not: true, Reg: 1, Lo: p.Net16(1), Hi: p.Net16(1023)})},
		{"in", "tcp dport {25, 80}", with(dport, in(p.TypeService, false, "\x00\x19", "\x00\x50"))},
		{"in", "tcp dport != {0-10, 25, 65000-65535}",
			with(dport, not(ranges(in(p.TypeService, false, "\x00\x00", "\x00\x0a", "\x00\x19", "\x00\x19", "\xfd\xe8", "\xff\xff"))))},
		{"in", "ip saddr {10.0.0.0/24, 192.0.2.1}",
			[]p.Expr{load(p.Network, 12, 4), ranges(in(p.TypeIPv4, false, "\x0a\x00\x00\x00", "\x0a\x00\x00\xff", "\xc0\x00\x02\x01", "\xc0\x00\x02\x01"))}},
		{"in", "tcp flags & (fin|syn|rst|ack) == syn",
			with(tcp, load(p.Transport, 13, 1), masked(p.Host8(0x17), p.Host8(0)), is(p.Eq, p.Host8(2)))},
		{"in", "meta mark 0x10", []p.Expr{mark, is(p.Eq, p.Host32(0x10))}},
		{"in", "meta mark & 0xff != 0x10", []p.Expr{mark, masked(p.Host32(0xff), p.Host32(0)), is(p.Ne, p.Host32(0x10))}},
		{"in", "meta mark {5, 7}", []p.Expr{mark, in(p.TypeMark, true, p.Host32(5).Data, p.Host32(7).Data)}},
		{"in", "meta mark {5-7, 9}", []p.Expr{mark, p.Byteorder{Src: 1, Dst: 1, ToNetwork: true, Len: 4, Size: 4},
			ranges(in(p.TypeMark, true, p.Host32(5).Data, p.Host32(7).Data, p.Host32(9).Data, p.Host32(9).Data))}},
		{"in", "meta length {5, 8}", []p.Expr{p.Meta{Key: p.MetaLen, Reg: 1}, in(p.TypeInteger, true, p.Host32(5).Data, p.Host32(8).Data)}},
		{"in", "meta skuid 1000", []p.Expr{p.Meta{Key: p.MetaSkuid, Reg: 1}, is(p.Eq, p.Host32(1000))}},
		{"in", "meta iif lo", []p.Expr{p.Meta{Key: p.MetaIif, Reg: 1}, is(p.Eq, p.Host32(1))}},
		{"in", `meta iifname "eth0"`, []p.Expr{p.Meta{Key: p.MetaIifname, Reg: 1}, is(p.Eq, p.IfName("eth0"))}},
		{"in", `meta iifname "eth*"`, []p.Expr{p.Meta{Key: p.MetaIifname, Reg: 1}, is(p.Eq, p.Value{Data: "eth"})}},
		{"in", "meta pkttype multicast", []p.Expr{p.Meta{Key: p.MetaPkttype, Reg: 1}, is(p.Eq, p.Host8(2))}},
		{"in", "meta iiftype 772", []p.Expr{p.Meta{Key: p.MetaIiftype, Reg: 1}, is(p.Eq, p.Host16(772))}},
		{"in", "ct state established,related", []p.Expr{p.CT{Key: p.CTState, Reg: 1}, masked(p.Host32(6), p.Host32(0)), is(p.Ne, p.Host32(0))}},
		{"in", "ct mark 7", []p.Expr{p.CT{Key: p.CTMark, Reg: 1}, is(p.Eq, p.Host32(7))}},
		{"in", "ct original ip saddr 192.0.2.1", []p.Expr{p.CT{Key: p.CTSrcIP, Dir: p.Original, Reg: 1}, is(p.Eq, p.Bytes(192, 0, 2, 1))}},
		{"in", "ct mark set mark", []p.Expr{mark, p.CTSet{Key: p.CTMark, Reg: 1}}},
		{"in", "meta mark set 0x10", []p.Expr{p.Immediate{Reg: 1, Value: p.Host32(0x10)}, p.MetaSet{Key: p.MetaMark, Reg: 1}}},
		{"in", "meta mark set mark << 8", []p.Expr{mark, p.Shift{Src: 1, Dst: 1, Len: 4, Left: true, Bits: 8}, p.MetaSet{Key: p.MetaMark, Reg: 1}}},
		{"in", "fib daddr type local", []p.Expr{p.Fib{Result: p.FibAddrType, Flags: p.FibDaddr, Reg: 1}, is(p.Eq, p.Host32(2))}},
		{"in", "limit rate 3/minute burst 7 packets", []p.Expr{p.Limit{Rate: 3, Unit: 60, Burst: 7}}},
		{"in", "limit rate over 2 kbytes/second burst 9 bytes", []p.Expr{p.Limit{Rate: 2048, Unit: 1, Burst: 9, Bytes: true, Over: true}}},
		{"in", "quota over 5 mbytes", []p.Expr{p.Quota{Bytes: 5 << 20, Over: true}}},
		{"in", `log prefix "x" level debug flags all`, []p.Expr{p.Log{Prefix: "x", Level: 7, Flags: 0x2f}}},
		{"in", "log", []p.Expr{p.Log{Level: 4}}},
		{"in", `log prefix "y" group 4 snaplen 3 queue-threshold 5`, []p.Expr{p.Log{Prefix: "y", HasGroup: true, Group: 4, Snaplen: 3, QThreshold: 5}}},
		{"in", "log group 4 snaplen 0", []p.Expr{p.Log{HasGroup: true, Group: 4, NoBytes: true}}},
		{"in", "reset tcp option maxseg", []p.Expr{p.TCPStrip{Kind: 2}}},
		{"in", "dup to 192.0.2.1", []p.Expr{addr, p.Dup{Addr: 1}}},
		{"in", `dup to 192.0.2.1 device "lo"`, []p.Expr{addr, p.Immediate{Reg: 2, Value: p.Host32(1)}, p.Dup{Addr: 1, Dev: 2}}},
		{"in", "reject with icmp type host-unreachable", []p.Expr{p.Reject{Type: 0, Code: 1}}},
		{"in", "meta l4proto tcp reject with tcp reset", with(tcp, p.Reject{Type: 1})},
		{"in", "tcp option maxseg exists", with(tcp[:0], p.Exthdr{Op: 1, Type: 2, Len: 1, Present: true, Reg: 1}, is(p.Eq, p.Host8(1)))},
		{"in", "ip dscp set 5", []p.Expr{load(p.Network, 0, 2), masked(p.Net16(0xff03), p.Net16(0x14)),
			p.PayloadSet{Base: p.Network, Len: 2, Reg: 1, CsumType: 1, CsumOffset: 10}}},
		{"in", "jump user", []p.Expr{p.Verdict{Kind: p.NFTJump, Chain: "user"}}},
		{"in", "goto user", []p.Expr{p.Verdict{Kind: p.NFTGoto, Chain: "user"}}},
		{"in", "return", []p.Expr{p.Verdict{Kind: p.NFTReturn}}},
		{"raw", "notrack", []p.Expr{p.Notrack{}}},
		{"raw", "meta nftrace set 1", []p.Expr{p.Immediate{Reg: 1, Value: p.Host8(1)}, p.MetaSet{Key: p.MetaNftrace, Reg: 1}}},
		{"prerouting", "dnat to 192.0.2.1", []p.Expr{addr, p.NAT{Dest: true, Family: p.IP, AddrMin: 1, AddrMax: 1}}},
		{"prerouting", "meta l4proto tcp dnat to 192.0.2.1-192.0.2.9:80-90 random", with(tcp, addr,
			p.Immediate{Reg: 2, Value: p.Bytes(192, 0, 2, 9)}, p.Immediate{Reg: 3, Value: p.Net16(80)}, p.Immediate{Reg: 4, Value: p.Net16(90)},
			p.NAT{Dest: true, Family: p.IP, AddrMin: 1, AddrMax: 2, ProtoMin: 3, ProtoMax: 4, Flags: 4})},
		{"prerouting", "meta l4proto tcp redirect to :80", with(tcp, p.Immediate{Reg: 1, Value: p.Net16(80)}, p.Redir{ProtoMin: 1, ProtoMax: 1})},
		{"prerouting", "redirect", []p.Expr{p.Redir{}}},
		{"postrouting", "snat to 192.0.2.1 persistent", []p.Expr{addr, p.NAT{Family: p.IP, AddrMin: 1, AddrMax: 1, Flags: 8}}},
		{"postrouting", "masquerade random,persistent", []p.Expr{p.Masq{Flags: 0xc}}},
		{"postrouting", "meta l4proto tcp masquerade to :5-8", with(tcp,
			p.Immediate{Reg: 1, Value: p.Net16(5)}, p.Immediate{Reg: 2, Value: p.Net16(8)}, p.Masq{ProtoMin: 1, ProtoMax: 2})},
	}
}

// hooks are the chains that the rules go into, as nft writes them.
const hooks = `
	chain user { }
	chain in { type filter hook input priority 0; }
	chain raw { type filter hook prerouting priority -300; }
	chain prerouting { type nat hook prerouting priority -100; }
	chain postrouting { type nat hook postrouting priority 100; }
`

// What nft loads reads as the program that it is, and the same program sent by
// us is the same to the byte, its sets included.
func TestRulesOfNft(t *testing.T) {
	h := labtest.Host(t)
	x := oracle.Nft(t, h)
	x.MustLoad("table ip theirs {" + hooks + "}\ntable ip ours {" + hooks + "}")
	k := connect(t, h)
	ours := &p.Table{Family: p.IP, Name: "ours"}
	for _, w := range writtenRules() {
		t.Run(w.text, func(t *testing.T) {
			x.MustLoad(fmt.Sprintf("add rule ip theirs %s %s", w.chain, w.text))
			add := driver.Op{Kind: driver.AddRule, Table: ours, Chain: &p.Chain{Name: w.chain}, Rule: &p.Rule{Exprs: w.exprs}}
			if err := k.Commit(t.Context(), driver.Batch{Ops: []driver.Op{add}}); err != nil {
				t.Fatal(err)
			}
			s, err := k.Read(t.Context(), driver.Scope{})
			if err != nil {
				t.Fatal(err)
			}
			for _, table := range []string{"theirs", "ours"} {
				rules := s.Program.Table(p.IP, table).Chain(w.chain).Rules
				if got := rules[len(rules)-1].Exprs; !slices.Equal(got, w.exprs) {
					t.Errorf("%s read\n%swant\n%s", table, p.Dump(got), p.Dump(w.exprs))
				}
				if c := wire.Canonical(w.exprs); !slices.Equal(c, w.exprs) {
					t.Errorf("canonically it is\n%s", p.Dump(c))
				}
			}
			theirBytes, ourBytes := lastRule(t, k, "theirs", w.chain), lastRule(t, k, "ours", w.chain)
			if theirBytes != ourBytes {
				t.Errorf("theirs % x\nours   % x", theirBytes, ourBytes)
			}
		})
	}
	if list := x.List(); section(list, "theirs") != section(list, "ours") {
		t.Errorf("nft prints them differently:\n%s", list)
	}
}

// lastRule is the expressions of a chain's last rule as the kernel dumps them,
// the numbers of anonymous sets left out.
func lastRule(t *testing.T, k *kernel, table, chain string) (last string) {
	t.Helper()
	err := k.dumps.ask(t.Context(), func(seq uint32) []byte {
		return wire.DumpRules(seq, p.IP, table, chain)
	}, func(m wire.Message) error {
		attrs, err := netlink.UnmarshalAttributes(m.Body[4:])
		for _, a := range attrs {
			if a.Type == unix.NFTA_RULE_EXPRESSIONS {
				last = string(a.Data)
			}
		}
		return err
	})
	if err != nil || last == "" {
		t.Fatalf("% x, %v", last, err)
	}
	if i := strings.Index(last, "__set"); i >= 0 {
		last = last[:i+5] + last[i+6:]
	}
	return last
}

// section is what nft lists of a table.
func section(list, table string) string {
	_, s, _ := strings.Cut(list, "table ip "+table+" {")
	s, _, _ = strings.Cut(s, "\n}")
	return s
}
