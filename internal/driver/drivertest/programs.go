package drivertest

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
)

// places are the chains that programs are tried in, in a table of each family.
var places = []*p.Chain{
	{Name: "in", Base: true, Policy: p.NFAccept, Hook: p.Hook{Type: "filter", Num: 1}},
	{Name: "raw", Base: true, Policy: p.NFAccept, Hook: p.Hook{Type: "filter", Num: 0, Priority: -300}},
	{Name: "dst", Base: true, Policy: p.NFAccept, Hook: p.Hook{Type: "nat", Num: 0, Priority: -100}},
	{Name: "src", Base: true, Policy: p.NFAccept, Hook: p.Hook{Type: "nat", Num: 4, Priority: 100}},
	{Name: "out", Base: true, Policy: p.NFAccept, Hook: p.Hook{Type: "route", Num: 3, Priority: -150}},
	{Name: "user"},
}

// sample is a program and where it can be.
type sample struct {
	name   string
	family p.Family
	chain  string
	exprs  []p.Expr
	reads  []p.Expr // how it reads back; nil: as it is
	compat p.Compat
}

// rule is a sample for an ip table.
func rule(name, chain string, exprs ...p.Expr) sample {
	return sample{name: name, family: p.IP, chain: chain, exprs: exprs}
}

// of is the sample for another family.
func (s sample) of(f p.Family) sample {
	s.family = f
	return s
}

// testPrograms: what was sent reads back as the same program. All samples go
// into one host, so that none is taken for another.
func testPrograms(t *testing.T, open func(t *testing.T) driver.Driver) {
	h := start(t, open)
	for _, f := range []p.Family{p.IP, p.IP6, p.Inet} {
		r := inTable(f, "suite")
		list := ops(r.add())
		for _, c := range places {
			list = append(list, driver.Op{Kind: driver.AddChain, Table: r.Table, Chain: c})
		}
		h.commit(list...)
	}
	for _, s := range samples() {
		t.Run(fmt.Sprintf("%s/%s", s.family, s.name), func(t *testing.T) {
			h := &host{t, h.Driver}
			r := inTable(s.family, "suite")
			want := &p.Rule{Exprs: s.exprs, Compat: s.compat}
			h.commit(r.ruleOp(driver.AddRule, s.chain, want))
			rules := h.chain(r, s.chain).Rules
			got := rules[len(rules)-1]
			if s.reads != nil {
				want.Exprs = s.reads
			}
			if !got.Same(want) {
				t.Errorf("reads\n%swant\n%s", p.Dump(got.Exprs), p.Dump(want.Exprs))
			}
		})
	}
}

func samples() []sample {
	var out []sample
	for _, part := range [][]sample{
		packetSamples(), metaSamples(), connSamples(), computeSamples(), constSamples(),
		setterSamples(), actionSamples(), natSamples(), xtSamples(),
	} {
		out = append(out, part...)
	}
	return out
}

func load(base p.Base, offset, n uint32) p.Expr {
	return p.Payload{Base: base, Offset: offset, Len: n, Reg: 1}
}

func is(op p.CmpOp, v p.Value) p.Expr { return p.Cmp{Op: op, Reg: 1, Value: v} }

func masked(mask, xor p.Value) p.Expr {
	return p.Bitwise{Src: 1, Dst: 1, Len: uint32(len(mask.Data)), Mask: mask, Xor: xor}
}

func packetSamples() []sample {
	v6 := p.Bytes(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
	return []sample{
		rule("source address", "in", load(p.Network, 12, 4), is(p.Eq, p.Bytes(192, 0, 2, 1))),
		rule("not a network", "in", load(p.Network, 16, 4),
			masked(p.Bytes(255, 255, 255, 128), p.Net32(0)), is(p.Ne, p.Bytes(192, 0, 2, 128))),
		rule("a short network", "in", load(p.Network, 12, 2), is(p.Eq, p.Bytes(10, 1))),
		rule("source address", "in", load(p.Network, 8, 16), is(p.Eq, v6)).of(p.IP6),
		rule("fragments", "in", load(p.Network, 6, 2), masked(p.Net16(0x1fff), p.Net16(0)), is(p.Ne, p.Net16(0))),
		rule("port", "in", load(p.Transport, 2, 2), is(p.Eq, p.Net16(25))),
		rule("ports", "in", load(p.Transport, 2, 2), p.Range{Reg: 1, Lo: p.Net16(1), Hi: p.Net16(1023)}),
		rule("other ports", "in", load(p.Transport, 0, 2), p.Range{Not: true, Reg: 1, Lo: p.Net16(1), Hi: p.Net16(1023)}),
		rule("less and more", "in", load(p.Network, 8, 1), is(p.Lt, p.Host8(64)), load(p.Network, 8, 1), is(p.Gt, p.Host8(1)),
			load(p.Network, 2, 2), is(p.Le, p.Net16(1500)), load(p.Network, 2, 2), is(p.Ge, p.Net16(20))),
		rule("guard", "in", load(p.Transport, 17, 3), is(p.Ge, p.Bytes(0, 0, 0))),
		rule("TCP flags", "in", load(p.Transport, 13, 1), masked(p.Host8(0x17), p.Host8(0)), is(p.Eq, p.Host8(2))),
		rule("hardware address", "in", load(p.LinkLayer, 6, 6), is(p.Eq, p.Bytes(2, 0, 0, 0, 0, 1))),
		rule("TCP option", "in", p.Exthdr{Op: p.ExthdrTCPOpt, Type: 2, Offset: 2, Len: 2, Reg: 1}, is(p.Eq, p.Net16(1460))),
		rule("TCP option there", "in",
			p.Exthdr{Op: p.ExthdrTCPOpt, Type: 2, Len: 1, Present: true, Reg: 1}, is(p.Eq, p.Host8(1))),
		rule("extension header", "in", p.Exthdr{Op: p.ExthdrIPv6, Type: 44, Len: 1, Present: true, Reg: 1}, is(p.Eq, p.Host8(1))).of(p.IP6),
		rule("local address", "in", p.Fib{Result: p.FibAddrType, Flags: p.FibDaddr, Reg: 1}, is(p.Eq, p.Host32(2))),
		rule("address of the interface", "raw", p.Fib{Result: p.FibAddrType, Flags: p.FibSaddr | p.FibIif, Reg: 1}, is(p.Ne, p.Host32(1))).of(p.Inet),
	}
}

func metaSamples() []sample {
	var out []sample
	for _, m := range []struct {
		key p.MetaKey
		v   p.Value
	}{
		{p.MetaLen, p.Host32(100)}, {p.MetaProtocol, p.Net16(0x0800)}, {p.MetaPriority, p.Host32(0x10001)},
		{p.MetaMark, p.Host32(0xdeadbeef)}, {p.MetaIif, p.Host32(1)}, {p.MetaOif, p.Host32(1)},
		{p.MetaIifname, p.IfName("lo")}, {p.MetaOifname, p.IfName("eth0")}, {p.MetaIifname, p.Value{Data: "eth"}},
		{p.MetaIiftype, p.Host16(772)}, {p.MetaOiftype, p.Host16(1)}, {p.MetaSkuid, p.Host32(0)},
		{p.MetaSkgid, p.Host32(1000)}, {p.MetaNFProto, p.Host8(10)}, {p.MetaL4Proto, p.Host8(6)},
		{p.MetaPkttype, p.Host8(2)},
	} {
		out = append(out, rule(fmt.Sprintf("meta %v %v", m.key, m.v), "in", p.Meta{Key: m.key, Reg: 1}, is(p.Eq, m.v)).of(p.Inet))
	}
	mark := p.Meta{Key: p.MetaMark, Reg: 1}
	return append(out,
		rule("mark under a mask", "in", mark, masked(p.Host32(0xff), p.Host32(0)), is(p.Ne, p.Host32(0x10))),
		rule("marks", "in", mark, p.Range{Reg: 1, Lo: p.Host32(1), Hi: p.Host32(9)}),
		rule("users", "out", p.Meta{Key: p.MetaSkuid, Reg: 1}, p.Range{Not: true, Reg: 1, Lo: p.Host32(0), Hi: p.Host32(999)}),
		rule("another register", "in", p.Meta{Key: p.MetaMark, Reg: 9}, p.Cmp{Op: p.Eq, Reg: 9, Value: p.Host32(7)}),
	)
}

func connSamples() []sample {
	var out []sample
	for _, c := range []struct {
		key p.CTKey
		dir p.Dir
		v   p.Value
	}{
		{p.CTStatus, p.NoDir, p.Host32(2)}, {p.CTMark, p.NoDir, p.Host32(0x1f)}, {p.CTExpiration, p.NoDir, p.Host32(5000)},
		{p.CTDirection, p.NoDir, p.Host8(1)}, {p.CTL3Proto, p.NoDir, p.Host8(2)},
		{p.CTProto, p.NoDir, p.Host8(6)}, {p.CTProtoSrc, p.Original, p.Net16(1024)}, {p.CTProtoDst, p.Reply, p.Net16(80)},
		{p.CTSrcIP, p.Original, p.Bytes(192, 0, 2, 1)}, {p.CTDstIP, p.Reply, p.Bytes(192, 0, 2, 2)},
		{p.CTSrcIP6, p.Reply, p.Bytes(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)},
	} {
		out = append(out, rule(fmt.Sprintf("ct %v%v", c.key, c.dir), "in", p.CT{Key: c.key, Dir: c.dir, Reg: 1}, is(p.Eq, c.v)).of(p.Inet))
	}
	directed := rule("ct protocol with a direction", "in", p.CT{Key: p.CTProto, Dir: p.Original, Reg: 1}, is(p.Eq, p.Host8(6)))
	directed.reads = []p.Expr{p.CT{Key: p.CTProto, Reg: 1}, is(p.Eq, p.Host8(6))}
	family := rule("ct l3proto with a direction", "in", p.CT{Key: p.CTL3Proto, Dir: p.Reply, Reg: 1}, is(p.Eq, p.Host8(2)))
	family.reads = []p.Expr{p.CT{Key: p.CTL3Proto, Reg: 1}, is(p.Eq, p.Host8(2))}
	return append(out, directed, family,
		rule("connection states", "in", p.CT{Key: p.CTState, Reg: 1}, masked(p.Host32(6), p.Host32(0)), is(p.Ne, p.Host32(0))),
		rule("connection mark", "in", p.CT{Key: p.CTMark, Reg: 1}, masked(p.Host32(0xf0), p.Host32(0)), is(p.Eq, p.Host32(0x10))),
		rule("ports of the connection", "in", p.CT{Key: p.CTProtoDst, Dir: p.Original, Reg: 1},
			p.Range{Reg: 1, Lo: p.Net16(1), Hi: p.Net16(1023)}),
	)
}

func computeSamples() []sample {
	mark := p.Meta{Key: p.MetaMark, Reg: 1}
	return []sample{
		rule("shift left", "in", mark, p.Shift{Src: 1, Dst: 1, Len: 4, Left: true, Bits: 8}, is(p.Eq, p.Host32(0x100))),
		rule("shift right", "in", mark, p.Shift{Src: 1, Dst: 1, Len: 4, Bits: 4}, is(p.Eq, p.Host32(1))),
		rule("two registers", "in", mark, p.CT{Key: p.CTMark, Reg: 2},
			p.Bitwise2{Op: p.BitXor, Src: 1, Src2: 2, Dst: 1, Len: 4}, p.MetaSet{Key: p.MetaMark, Reg: 1}),
		rule("byte order", "in", load(p.Network, 12, 4), p.Byteorder{Src: 1, Dst: 1, Len: 4, Size: 4}),
		rule("byte order of a mark", "in", mark, p.Byteorder{Src: 1, Dst: 1, ToNetwork: true, Len: 4, Size: 4}),
	}
}

func constSamples() []sample {
	set := func(t p.KeyType, host bool, keys ...string) p.Lookup {
		c := p.ConstSet{Type: t, Len: uint32(len(keys[0])), Host: host}
		for _, k := range keys {
			c.Elems += k
		}
		return p.Lookup{Const: c, Reg: 1}
	}
	dports := set(p.TypeService, false, p.Net16(25).Data, p.Net16(80).Data, p.Net16(443).Data)
	names := set(p.TypeIfname, false, p.IfName("eth0").Data, p.IfName("lo").Data)
	return []sample{
		rule("set of ports", "in", load(p.Transport, 2, 2), dports, accept),
		rule("set of other ports", "in", load(p.Transport, 2, 2), inverted(dports), accept).of(p.Inet),
		rule("two sets", "in", load(p.Transport, 0, 2), dports, load(p.Transport, 2, 2), inverted(dports)),
		rule("set of one", "in", load(p.Network, 12, 4), set(p.TypeIPv4, false, p.Bytes(192, 0, 2, 1).Data)),
		rule("set of protocols", "in", p.Meta{Key: p.MetaL4Proto, Reg: 1}, set(p.TypeProto, false, "\x06", "\x11")),
		rule("set of marks", "in", p.Meta{Key: p.MetaMark, Reg: 1}, set(p.TypeMark, true, p.Host32(1).Data, p.Host32(0x100).Data)),
		rule("set of names", "in", p.Meta{Key: p.MetaIifname, Reg: 1}, names),
	}
}

func setterSamples() []sample {
	tos := p.PayloadSet{Base: p.Network, Offset: 0, Len: 2, Reg: 1, CsumType: 1, CsumOffset: 10}
	return []sample{
		rule("set mark", "out", p.Immediate{Reg: 1, Value: p.Host32(0x10)}, p.MetaSet{Key: p.MetaMark, Reg: 1}),
		rule("set bits of the mark", "out", p.Meta{Key: p.MetaMark, Reg: 1}, masked(p.Host32(0xffffff00), p.Host32(0x10)),
			p.MetaSet{Key: p.MetaMark, Reg: 1}),
		rule("set priority", "out", p.Immediate{Reg: 1, Value: p.Host32(0x10001)}, p.MetaSet{Key: p.MetaPriority, Reg: 1}),
		rule("trace", "raw", p.Immediate{Reg: 1, Value: p.Host8(1)}, p.MetaSet{Key: p.MetaNftrace, Reg: 1}),
		rule("set connection mark", "in", p.Immediate{Reg: 1, Value: p.Host32(7)}, p.CTSet{Key: p.CTMark, Reg: 1}),
		rule("save mark", "in", p.Meta{Key: p.MetaMark, Reg: 1}, p.CTSet{Key: p.CTMark, Reg: 1}),
		rule("restore mark", "out", p.CT{Key: p.CTMark, Reg: 1}, p.MetaSet{Key: p.MetaMark, Reg: 1}),
		rule("set type of service", "out", load(p.Network, 0, 2), masked(p.Net16(0xff00), p.Net16(0x10)), tos),
	}
}

func actionSamples() []sample {
	return []sample{
		rule("nothing", "in"),
		rule("counter", "in", p.Counter{}, accept),
		rule("drop", "in", p.Counter{Packets: 5, Bytes: 300}, p.Verdict{Kind: p.NFDrop}),
		rule("return", "user", p.Verdict{Kind: p.NFTReturn}),
		rule("continue", "in", p.Verdict{Kind: p.NFTContinue}),
		rule("jump", "in", jump("user")),
		rule("goto", "in", p.Counter{}, goTo("user")),
		rule("limit", "in", p.Limit{Rate: 3, Unit: 60, Burst: 5}, accept),
		rule("limit of bytes", "in", p.Limit{Rate: 1 << 20, Unit: 1, Burst: 4096, Bytes: true, Over: true}),
		rule("limit over", "in", p.Limit{Rate: 10, Unit: 86400, Burst: 1, Over: true}),
		rule("quota", "in", p.Quota{Bytes: 1 << 40, Over: true}),
		rule("log", "in", p.Log{Prefix: "dropped: ", Level: 4}),
		rule("log everything", "in", p.Log{Level: 7, Flags: 0x2f}),
		rule("log to a group", "in", p.Log{Prefix: "x", HasGroup: true, Group: 3, Snaplen: 64, QThreshold: 10}),
		rule("reject", "in", p.Reject{Type: 0, Code: 3}),
		rule("reject", "in", p.Reject{Type: 0, Code: 4}).of(p.IP6),
		rule("reject", "in", p.Reject{Type: 2, Code: 1}).of(p.Inet),
		rule("reset", "in", p.Meta{Key: p.MetaL4Proto, Reg: 1}, is(p.Eq, p.Host8(6)), p.Reject{Type: 1}),
		rule("log without the packet", "in", p.Log{HasGroup: true, NoBytes: true}),
		rule("strip a TCP option", "in", p.TCPStrip{Kind: 8}),
		rule("notrack", "raw", p.Notrack{}),
		rule("an expression without a type", "in", numgen(), accept),
	}
}

// numgen is the expression numgen inc mod 2 into register 1.
func numgen() p.Expr {
	var b []byte
	for i, v := range []uint32{1, 2, 0, 0} { // NFTA_NG_DREG, MODULUS, TYPE, OFFSET
		b = binary.NativeEndian.AppendUint16(b, 8)
		b = binary.NativeEndian.AppendUint16(b, uint16(i+1))
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return p.Raw{Name: "numgen", Data: string(b)}
}

func natSamples() []sample {
	addr := p.Immediate{Reg: 1, Value: p.Bytes(192, 0, 2, 1)}
	last := p.Immediate{Reg: 2, Value: p.Bytes(192, 0, 2, 9)}
	port := p.Immediate{Reg: 3, Value: p.Net16(8080)}
	lastPort := p.Immediate{Reg: 4, Value: p.Net16(8090)}
	v6 := p.Immediate{Reg: 1, Value: p.Bytes(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)}
	tcp := []p.Expr{p.Meta{Key: p.MetaL4Proto, Reg: 1}, is(p.Eq, p.Host8(6))}
	ported := func(exprs ...p.Expr) []p.Expr { return append(tcp[:2:2], exprs...) }
	return []sample{
		rule("dnat", "dst", addr, p.NAT{Dest: true, Family: p.IP, AddrMin: 1, AddrMax: 1}),
		rule("dnat to a range", "dst", addr, last, p.NAT{Dest: true, Family: p.IP, AddrMin: 1, AddrMax: 2, Flags: 8}),
		rule("dnat with ports", "dst", ported(addr, port, lastPort,
			p.NAT{Dest: true, Family: p.IP, AddrMin: 1, AddrMax: 1, ProtoMin: 3, ProtoMax: 4})...),
		rule("snat", "src", addr, p.NAT{Family: p.IP, AddrMin: 1, AddrMax: 1, Flags: 4}),
		rule("snat", "src", v6, p.NAT{Family: p.IP6, AddrMin: 1, AddrMax: 1, Flags: 16}).of(p.IP6),
		rule("snat", "src", addr, p.NAT{Family: p.IP, AddrMin: 1, AddrMax: 1}).of(p.Inet),
		rule("masquerade", "src", p.Masq{}),
		rule("masquerade with ports", "src", ported(port, lastPort, p.Masq{ProtoMin: 3, ProtoMax: 4, Flags: 4})...),
		rule("redirect", "dst", ported(port, p.Redir{ProtoMin: 3, ProtoMax: 3})...),
		rule("redirect", "dst", p.Redir{}).of(p.Inet),
	}
}

func xtSamples() []sample {
	comment := make([]byte, 256) // struct xt_comment_info
	copy(comment, "a comment")
	tcp := make([]byte, 16) // struct xt_tcp: any source port, destination port 25
	binary.NativeEndian.PutUint16(tcp[2:], 0xffff)
	binary.NativeEndian.PutUint16(tcp[4:], 25)
	binary.NativeEndian.PutUint16(tcp[6:], 25)
	mark := make([]byte, 8) // struct xt_mark_tginfo2: mark, mask
	binary.NativeEndian.PutUint32(mark, 0x10)
	binary.NativeEndian.PutUint32(mark[4:], 0xff)
	isTCP := []p.Expr{p.Meta{Key: p.MetaL4Proto, Reg: 1}, is(p.Eq, p.Host8(6))}
	xtTCP := rule("xt tcp", "in", append(isTCP, p.XTMatch{Name: "tcp", Info: string(tcp)})...)
	xtTCP.compat = p.Compat{Proto: 6}
	return []sample{
		rule("xt comment", "in", p.XTMatch{Name: "comment", Info: string(comment)}),
		rule("xt comment", "in", p.XTMatch{Name: "comment", Info: string(comment)}).of(p.Inet),
		rule("xt MARK", "out", p.XTTarget{Name: "MARK", Rev: 2, Info: string(mark)}),
		xtTCP,
		xtTCP.of(p.IP6),
	}
}
