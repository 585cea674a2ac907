//go:build linux

package nft

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/lab/labtest"
	"github.com/gatehouse-fw/gatehouse/internal/oracle"
	p "github.com/gatehouse-fw/gatehouse/internal/program"
)

// blob is a struct of n bytes with some of them set.
func blob(n int, at map[int]string) string {
	b := make([]byte, n)
	for i, s := range at {
		copy(b[i:], s)
	}
	return string(b)
}

func host16(v uint16) string { return string(binary.NativeEndian.AppendUint16(nil, v)) }

// What iptables-nft loads reads as the program that it is, and the same program
// sent by us is the same to the byte, and the same rule to iptables-nft.
func TestRulesOfIptables(t *testing.T) {
	h := labtest.Host(t)
	x := oracle.NFTVariant(t, h)
	x.Must("-N", "theirs")
	x.Must("-N", "ours")
	x.Must("-N", "next")
	k := connect(t, h)
	filter := &p.Table{Family: p.IP, Name: "filter"}
	proto := func(op p.CmpOp, n uint8) []p.Expr {
		return []p.Expr{p.Meta{Key: p.MetaL4Proto, Reg: 1}, is(op, p.Host8(n))}
	}
	accept := p.Verdict{Kind: p.NFAccept}
	for _, tc := range []struct {
		args   string
		exprs  []p.Expr
		compat p.Compat
	}{
		{"-i lo -j ACCEPT", []p.Expr{p.Meta{Key: p.MetaIifname, Reg: 1}, is(p.Eq, p.Value{Data: "lo\x00"}), p.Counter{}, accept}, p.Compat{}},
		{"-s 10.1.0.0/16 -j DROP", []p.Expr{load(p.Network, 12, 2), is(p.Eq, p.Bytes(10, 1)), p.Counter{}, p.Verdict{}}, p.Compat{}},
		{"-d 1.2.0.0/20 -g next", []p.Expr{load(p.Network, 16, 4), masked(p.Bytes(255, 255, 240, 0), p.Net32(0)), is(p.Eq, p.Bytes(1, 2, 0, 0)),
			p.Counter{}, p.Verdict{Kind: p.NFTGoto, Chain: "next"}}, p.Compat{}},
		{"-p tcp --dport 1:1023 -j next", append(proto(p.Eq, 6), load(p.Transport, 2, 2),
			p.Range{Reg: 1, Lo: p.Net16(1), Hi: p.Net16(1023)}, p.Counter{}, p.Verdict{Kind: p.NFTJump, Chain: "next"}), p.Compat{Proto: 6}},
		{"-p tcp --syn -j RETURN", append(proto(p.Eq, 6), load(p.Transport, 13, 1), masked(p.Host8(0x17), p.Host8(0)), is(p.Eq, p.Host8(2)),
			p.Counter{}, p.Verdict{Kind: p.NFTReturn}), p.Compat{Proto: 6}},
		{"-f", []p.Expr{load(p.Network, 6, 2), masked(p.Net16(0x1fff), p.Net16(0)), is(p.Ne, p.Net16(0)), p.Counter{}}, p.Compat{}},
		{"-m mark --mark 0x1/0xff", []p.Expr{p.Meta{Key: p.MetaMark, Reg: 1}, masked(p.Host32(255), p.Host32(0)), is(p.Eq, p.Host32(1)), p.Counter{}}, p.Compat{}},
		{"-m limit --limit 5/min", []p.Expr{p.Limit{Rate: 5, Unit: 60, Burst: 5}, p.Counter{}}, p.Compat{}},
		{"-j NFLOG --nflog-group 3 --nflog-prefix pfx", []p.Expr{p.Counter{}, p.Log{Prefix: "pfx", HasGroup: true, Group: 3}}, p.Compat{}},
		{"-p tcp -m multiport --dports 25,80 -j ACCEPT", append(proto(p.Eq, 6), p.XTMatch{Name: "multiport", Rev: 1,
			Info: blob(48, map[int]string{0: "\x01\x02", 2: host16(25), 4: host16(80)})}, p.Counter{}, accept), p.Compat{Proto: 6}},
		{"! -p udp -j LOG", append(proto(p.Ne, 17), p.Counter{}, p.XTTarget{Name: "LOG", Info: blob(32, map[int]string{0: "\x04"})}),
			p.Compat{Proto: 17, Flags: p.CompatInverted}},
		{"-m comment --comment hello", []p.Expr{p.XTMatch{Name: "comment", Info: blob(256, map[int]string{0: "hello"})}, p.Counter{}}, p.Compat{}},
	} {
		t.Run(tc.args, func(t *testing.T) {
			x.Must(append([]string{"-A", "theirs"}, strings.Fields(tc.args)...)...)
			op := driver.Op{Kind: driver.AddRule, Table: filter, Chain: &p.Chain{Name: "ours"},
				Rule: &p.Rule{Exprs: tc.exprs, Compat: tc.compat}}
			if err := k.Commit(t.Context(), driver.Batch{Ops: []driver.Op{op}}); err != nil {
				t.Fatal(err)
			}
			s, err := k.Read(t.Context(), driver.Scope{})
			if err != nil {
				t.Fatal(err)
			}
			for _, chain := range []string{"theirs", "ours"} {
				rules := s.Program.Table(p.IP, "filter").Chain(chain).Rules
				if got := rules[len(rules)-1].Exprs; !slices.Equal(got, tc.exprs) {
					t.Errorf("%s read\n%swant\n%s", chain, p.Dump(got), p.Dump(tc.exprs))
				}
			}
			if theirs, ours := lastRule(t, k, "filter", "theirs"), lastRule(t, k, "filter", "ours"); theirs != ours {
				t.Errorf("theirs % x\nours   % x", theirs, ours)
			}
		})
	}
	list := func(chain string) string { return strings.ReplaceAll(x.Must("-S", chain), chain, "CHAIN") }
	if theirs, ours := list("theirs"), list("ours"); theirs != ours {
		t.Errorf("iptables-nft lists theirs\n%sours\n%s", theirs, ours)
	}
}
