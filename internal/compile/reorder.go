package compile

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// reordered reads a rule that says the same in another order: what nft makes of a
// rule of ours when it loads its own listing. To the delta it is another program,
// and the next change of its table writes it anew.
func (x *ruleReader) reordered(p *program.Rule, env program.Env, ud userdata.Rule) (r rule.Rule, ok bool) {
	q := *p
	q.Exprs = ordered(p.Exprs, env)
	if slices.Equal(q.Exprs, p.Exprs) {
		return r, false
	}
	r, ok = x.known(modelNames(q.Exprs), env, ud)
	return r, ok && r.Err() == nil && !r.Opaque() && x.comesBack(r, &q, env)
}

// ordered brings a rule that nft wrote, as it does when it loads its own listing,
// into the order and the forms that the compiler writes. nft leaves out what a
// field implies (the protocol before a port, the family before an address) and
// puts it back just before that field, behind what stood there; it makes one
// comparison of two ports, and two of a range. Only comparisons that precede all
// else move: they have no effect but to end the rule, so their order is nobody's.
func ordered(exprs []program.Expr, env program.Env) []program.Expr {
	exprs = ranges(exprs)
	rd := program.NewReader(exprs, env, nil)
	var tests []program.Test
	n := 0 // expressions that the tests stand for
	for {
		t, ok := rd.Test(0)
		if !ok {
			break
		}
		rd.Take(1)
		n += len(spelled(env, t))
		if env.Plain { // iptables-nft joins two ports as nft does
			tests = append(tests, t)
			continue
		}
		tests = append(tests, apart(t)...)
	}
	slices.SortStableFunc(tests, func(a, b program.Test) int { return testOrder(a, env) - testOrder(b, env) })
	return append(spelled(env, tests...), exprs[n:]...)
}

// spelled are the expressions of tests.
func spelled(env program.Env, tests ...program.Test) []program.Expr {
	c := program.Code{Env: env}
	c.Test(tests...)
	return c.Exprs()
}

// testOrder is where a comparison stands in a rule: those of headers as their
// matches do, behind the family's guard and before all others.
func testOrder(t program.Test, env program.Env) int {
	if t == familyTest(nf.IPv4) || t == familyTest(nf.IPv6) {
		return -1
	}
	if h, ok := match.ReadHeader(program.NewReader(spelled(env, t), env, nil)); ok {
		return programOrder(h)
	}
	return lastHeader + 1
}

// lastHeader is the greatest programOrder.
const lastHeader = 5

// ranges makes one range of the two comparisons that nft writes for it.
func ranges(exprs []program.Expr) []program.Expr {
	out := make([]program.Expr, 0, len(exprs))
	for i, e := range exprs {
		hi, ok := e.(program.Cmp)
		if ok && i > 0 && hi.Op == program.Le {
			if lo, ok := exprs[i-1].(program.Cmp); ok && lo.Op == program.Ge && lo.Reg == hi.Reg {
				out[len(out)-1] = program.Range{Reg: lo.Reg, Lo: lo.Value, Hi: hi.Value}
				continue
			}
		}
		out = append(out, e)
	}
	return out
}

// apart undoes nft's joining of the source and the destination port.
func apart(t program.Test) []program.Test {
	p, ok := t.Load.(program.Payload)
	if !ok || p != bothPorts || t.Op != program.IsEq || t.Mask != (program.Value{}) || len(t.A.Data) != 4 {
		return []program.Test{t}
	}
	out := make([]program.Test, 2)
	for i := range out {
		load := program.Payload{Base: p.Base, Offset: uint32(2 * i), Len: 2}
		out[i] = program.IsValue(load, false, program.Bytes([]byte(t.A.Data[2*i:2*i+2])...))
	}
	return out
}

// bothPorts is the load of two ports at once.
var bothPorts = program.Payload{Base: program.Transport, Len: 4}
