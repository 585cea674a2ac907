package compile

import (
	"regexp"
	"slices"

	opaqueexpr "github.com/gatehouse-fw/gatehouse/internal/opaque"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// ReadRule makes a rule of a program. It never fails: what no extension knows,
// and a rule that would not compile to the same program again, is opaque. The
// error is userdata.ErrNewer where a newer release wrote the rule.
func ReadRule(p *program.Rule, env program.Env) (r rule.Rule, ud userdata.Rule, err error) {
	return new(ruleReader).rule(p, env)
}

// ruleReader is what reading a rule needs, for the next rule to use again.
type ruleReader struct {
	rd  program.Reader
	w   ruleWriter
	all []match.Match

	otherwise bool // the last rule is spelled otherwise than the compiler would
}

func (x *ruleReader) rule(p *program.Rule, env program.Env) (r rule.Rule, ud userdata.Rule, err error) {
	if p.UserData != "" {
		ud, err = userdata.DecodeRule(p.UserData)
	}
	exprs := p.Exprs
	if !env.Plain {
		exprs = modelNames(exprs)
	}
	r, ok := x.known(exprs, env, ud)
	x.otherwise = env.Plain && p.UserData != ""
	if !ok || r.Err() != nil || !x.comesBack(r, p, env) {
		r = opaque(exprs, ud)
		ud.Only = false
	}
	if r.Opaque() {
		other := x.reordered
		if env.Plain {
			other = x.readOtherwise
		}
		if s, ok := other(p, env, ud); ok {
			r, x.otherwise = s, true
		}
	}
	if c, ok := p.Counts(); ok && c != (program.Counter{}) {
		r = r.WithCounters(nf.Counters{Packets: c.Packets, Bytes: c.Bytes})
	}
	return r, ud, err
}

// comesBack says whether a rule compiles to the program that it was read from,
// which x.rd still holds. Nearly always it does, and that is seen without a
// program being made.
func (x *ruleReader) comesBack(r rule.Rule, p *program.Rule, env program.Env) bool {
	_, counted := p.Counts()
	x.rd.Seek(0)
	env = place(r, env)
	x.w.c.Compare(&x.rd, env)
	ud, f := x.w.write(r, counted)
	if f == nil && x.w.c.AsRead() && (env.Plain || namesComeBack(p.Exprs)) {
		if len(ud.Notes) == 0 || env.Plain {
			return true
		}
		if _, err := ud.Encode(); err == nil {
			return true
		}
	}
	again, f := compileRule(r, env, counted, 0)
	if f != nil {
		return false
	}
	again.UserData = p.UserData
	return again.Same(&program.Rule{Exprs: x.rd.AsPut(p.Exprs), UserData: p.UserData})
}

// namesComeBack says whether the kernel's names of the chains that verdicts go
// to are those that the model's names would get.
func namesComeBack(exprs []program.Expr) bool {
	for _, e := range exprs {
		if v, ok := e.(program.Verdict); ok && v.Chain != "" && KernelName(ModelName(v.Chain)) != v.Chain {
			return false
		}
	}
	return true
}

// known reads a rule part by part; a part that nobody knows becomes match.Raw.
func (x *ruleReader) known(exprs []program.Expr, env program.Env, ud userdata.Rule) (rule.Rule, bool) {
	x.rd.Reset(exprs, env, ud.Notes)
	x.all = x.all[:0]
	rd := &x.rd
	if f, ok := readFamily(rd); ok {
		x.all = append(x.all, match.Only(f))
	}
	seen := 0 // bits, by slot
	for {
		pos := rd.Pos()
		h, ok := match.ReadHeader(rd)
		if !ok || seen&(1<<h.Slot()) != 0 {
			rd.Seek(pos)
			break
		}
		seen |= 1 << h.Slot()
		x.all = append(x.all, h)
		if p, ok := h.(match.Protocol); ok {
			proto, not, _ := p.Proto.Get()
			rd.Env.Proto, rd.Env.ProtoNot = uint8(proto), not
		}
	}
	headers := len(x.all)
	x.matches(len(ud.Notes) > 0)
	t, ok := target.Read(rd)
	if !ok || rd.Left() > 0 {
		return rule.Rule{}, false
	}
	for _, n := range ud.Notes {
		if n.At < 0 && n.Kind == program.NoteComment {
			x.all = append(x.all, match.Comment(n.Text))
		}
	}
	return build(x.all[:headers], x.all, t), true
}

// matches reads up to the counter, or up to the target where there is none. Only
// a rule with notes has matches without expressions.
func (x *ruleReader) matches(notes bool) {
	rd := &x.rd
	for {
		if _, ok := rd.Item(0).(program.Counter); ok && !notes {
			rd.Take(1)
			return
		}
		if m, ok := match.Read(rd); ok {
			x.all = append(x.all, m)
			rd.Next()
			continue
		}
		switch rd.Item(0).(type) {
		case nil:
			return
		case program.Counter:
			rd.Take(1)
			return
		}
		pos := rd.Pos()
		if _, ok := target.Read(rd); ok && rd.Left() == 0 {
			rd.Seek(pos)
			return
		}
		rd.Seek(pos)
		for _, e := range rd.Exprs(1) {
			x.all = append(x.all, rawMatch(e))
			rd.Next()
		}
		rd.Take(1)
	}
}

// readFamily takes the guard of a rule of one family off an inet program.
func readFamily(rd *program.Reader) (nf.Family, bool) {
	t, ok := rd.Test(0)
	if !ok || rd.Env.Family != program.Inet {
		return nf.Both, false
	}
	for _, f := range [...]nf.Family{nf.IPv4, nf.IPv6} {
		if t == familyTest(f) {
			rd.Take(1)
			rd.Env.IPv4, rd.Env.IPv6 = f == nf.IPv4, f == nf.IPv6
			return f, true
		}
	}
	return nf.Both, false
}

// build makes the rule. A -4 or -6 that the rule's parts imply is not said.
func build(header, all []match.Match, t target.Target) rule.Rule {
	if len(header) > 0 {
		if v, ok := header[0].(match.Version); ok {
			if r := rule.New(t, all[1:]...); r.Err() == nil && r.Family() == v.Family() {
				return r
			}
		}
	}
	return rule.New(t, all...)
}

// opaque is a rule of raw expressions: those before the last counter as matches, and
// what follows as the target where it is one expression. nft's comment is the last
// match.
func opaque(exprs []program.Expr, ud userdata.Rule) rule.Rule {
	before, after := exprs, []program.Expr(nil)
	i := len(exprs) - 1
	for i >= 0 && !isCounter(exprs[i]) {
		i--
	}
	if i >= 0 {
		before, after = exprs[:i], exprs[i+1:]
	} else if n := len(exprs); n > 0 {
		if _, ok := exprs[n-1].(program.Verdict); ok {
			before, after = exprs[:n-1], exprs[n-1:]
		}
	}
	var ms []match.Match
	for _, e := range before {
		ms = append(ms, rawMatch(e))
	}
	if len(after) != 1 {
		for _, e := range after {
			ms = append(ms, rawMatch(e))
		}
	}
	for _, n := range ud.Notes {
		if n.At < 0 && n.Kind == program.NoteComment {
			ms = append(ms, match.Comment(n.Text))
		}
	}
	if len(after) == 1 {
		// A verdict is itself anywhere; what else there is may mean another thing
		// elsewhere, or not come back, which may be why the rule is opaque.
		if _, ok := after[0].(program.Verdict); ok {
			if t, ok := target.Read(program.NewReader(after, program.Env{}, nil)); ok {
				return rule.New(t, ms...)
			}
		}
		raw := rawMatch(after[0])
		return rule.New(target.Raw{Expr: raw.Expr, Data: raw.Data}, ms...)
	}
	return rule.New(target.None, ms...)
}

func isCounter(e program.Expr) bool {
	_, ok := e.(program.Counter)
	return ok
}

// rawMatch is an expression as a match of its own. One that has no bytes of its
// own, a lookup in a set or map without a name, is opaque.Unsaid: it can be
// shown, and left where it is, and cannot be programmed with a part missing.
//
// What an expression has counted is not part of it.
func rawMatch(e program.Expr) match.Raw {
	switch x := e.(type) {
	case program.Counter:
		e = program.Counter{}
	case program.Quota:
		x.Consumed = 0
		e = x
	}
	name, data, err := wire.EncodeExpr(e)
	if l, ok := e.(program.Lookup); err != nil || ok && nameless.MatchString(l.Name) {
		return match.Raw{Expr: opaqueexpr.Unsaid, Data: e.String()}
	}
	return match.Raw{Expr: name, Data: data}
}

// nameless is what nft calls sets and maps without a name.
var nameless = regexp.MustCompile(`^__(set|map)\d+$`)

// modelNames spells the chains of verdicts as the model does; exprs stay as they are.
func modelNames(exprs []program.Expr) []program.Expr {
	out := exprs
	for i, e := range exprs {
		v, ok := e.(program.Verdict)
		if !ok || v.Chain == "" {
			continue
		}
		name := ModelName(v.Chain)
		if name == v.Chain {
			continue
		}
		if &out[0] == &exprs[0] {
			out = slices.Clone(exprs)
		}
		v.Chain = name
		out[i] = v
	}
	return out
}
