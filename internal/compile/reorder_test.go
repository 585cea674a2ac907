package compile

import (
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

var (
	guard    = program.Test{Load: program.Payload{Base: program.Transport, Offset: 17, Len: 3}, Op: program.IsGe, A: program.Bytes(0, 0, 0)}
	isTCP    = program.IsValue(program.Meta{Key: program.MetaL4Proto}, false, program.Host8(6))
	isLo     = program.IsValue(program.Meta{Key: program.MetaIifname}, false, program.IfName("lo"))
	isTen    = program.IsValue(program.Payload{Base: program.Network, Offset: 12, Len: 1}, false, program.Bytes(10))
	dport22  = program.IsValue(program.Payload{Base: program.Transport, Offset: 2, Len: 2}, false, program.Net16(22))
	fourEq   = program.IsValue(program.Payload{Base: program.Transport, Len: 4}, false, program.Bytes(0, 5, 0, 22))
	fourNe   = program.IsValue(program.Payload{Base: program.Transport, Len: 4}, true, program.Bytes(0, 5, 0, 22))
	limiting = program.Limit{Rate: 5, Unit: 60, Burst: 5}
)

// What nft puts in another place says what it said; what would say something else
// in its usual place stays where it is, and is opaque.
func TestReordered(t *testing.T) {
	ip, inet := program.Env{Family: program.IP, Table: "filter"}, program.Env{Family: program.Inet, Table: "filter"}
	dports := program.Payload{Base: program.Transport, Offset: 2, Len: 2, Reg: 1}
	for _, c := range []struct {
		name string
		env  program.Env
		want string // "": opaque
		add  []any
	}{
		{"the protocol behind the guard", ip, "-p tcp -m tcp --dport 22 -j ACCEPT", []any{guard, isTCP, dport22}},
		{"the family behind the interface", inet, "-s 10.0.0.0/8 -i lo -j ACCEPT", []any{isLo, familyTest(2), isTen}},
		{"two ports as one", ip, "-p tcp -m tcp --sport 5 --dport 22 -j ACCEPT", []any{guard, isTCP, fourEq}},
		{"not two ports at once", ip, "", []any{guard, isTCP, fourNe}},
		{
			"a range as two comparisons", ip, "-p tcp -m tcp --dport 5:22 -j ACCEPT",
			[]any{guard, isTCP, dports, program.Cmp{Op: program.Ge, Reg: 1, Value: program.Net16(5)}, program.Cmp{Op: program.Le, Reg: 1, Value: program.Net16(22)}},
		},
		{
			"two comparisons that are no range", ip, "",
			[]any{guard, isTCP, dports, program.Cmp{Op: program.Ge, Reg: 1, Value: program.Net16(5)}, program.Cmp{Op: program.Lt, Reg: 1, Value: program.Net16(22)}},
		},
		{"behind a limit, which would count other packets", ip, "", []any{limiting, guard, isTCP, dport22}},
		{"an interface behind a limit", ip, "", []any{limiting, isLo}},
	} {
		code := program.Code{Env: c.env}
		for _, e := range c.add {
			if test, ok := e.(program.Test); ok {
				code.Test(test)
				continue
			}
			code.Add(e.(program.Expr))
		}
		code.Add(program.Counter{}, program.Verdict{Kind: program.NFAccept})
		r, _, err := ReadRule(&program.Rule{Exprs: code.Exprs()}, c.env)
		if err != nil || r.Opaque() != (c.want == "") || c.want != "" && r.String() != c.want {
			t.Errorf("%s: reads as %v, %v; want %q", c.name, r, err, c.want)
		}
	}
}
