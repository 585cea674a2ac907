package compile

import (
	"strings"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// TestSpelledOtherwise: a program that an extension understands, and that we would
// not write so, is opaque; it would not be the same program when it is written back.
func TestSpelledOtherwise(t *testing.T) {
	env := program.Env{Family: program.IP, Table: "filter"}
	source := program.Payload{Base: program.Network, Offset: 12, Len: 4, Reg: 1}
	zero := program.Bytes(0, 0, 0, 0)
	mask := func(m program.Value) program.Expr {
		return program.Bitwise{Src: 1, Dst: 1, Len: 4, Mask: m, Xor: zero}
	}
	net := program.Cmp{Reg: 1, Value: program.Bytes(10, 0, 0, 0)}
	accept := program.Verdict{Kind: program.NFAccept}
	comment := func(n int) string { // nft's record
		return "\x00" + string([]byte{byte(n + 1)}) + strings.Repeat("x", n) + "\x00"
	}
	for name, c := range map[string]struct {
		exprs    []program.Expr
		userdata string
		want     string // "": opaque
	}{
		"a network":                   {exprs: []program.Expr{source, mask(program.Bytes(255, 128, 0, 0)), net, program.Counter{}, accept}, want: "-s 10.0.0.0/9 -j ACCEPT"},
		"a mask that is no step":      {exprs: []program.Expr{source, mask(program.Bytes(255, 0, 0, 0)), net, program.Counter{}, accept}},
		"a protocol after an address": {exprs: []program.Expr{source, net, program.Meta{Key: program.MetaL4Proto, Reg: 1}, program.Cmp{Reg: 1, Value: program.Bytes(6)}, program.Raw{Name: "numgen"}, accept}},
		"a jump":                      {exprs: []program.Expr{program.Counter{}, program.Verdict{Kind: program.NFTJump, Chain: "gh.log"}}, want: "-j log"},
		"a jump that nft cannot read": {exprs: []program.Expr{source, net, program.Counter{}, program.Verdict{Kind: program.NFTJump, Chain: "log"}}},
		"a comment":                   {exprs: []program.Expr{program.Counter{}, accept}, userdata: comment(5), want: "-m comment --comment xxxxx -j ACCEPT"},
		"a comment that nft would cut, as we would not write it": {exprs: []program.Expr{source, net, program.Counter{}, accept}, userdata: comment(253)},
	} {
		r, _, err := ReadRule(&program.Rule{Exprs: c.exprs, UserData: c.userdata}, env)
		if err != nil || r.Opaque() != (c.want == "") || c.want != "" && r.String() != c.want {
			t.Errorf("%s: %v, %v; want %s", name, r, err, c.want)
		}
	}
}
