package compile

import (
	"errors"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/internal/wire"
	"github.com/gatehouse-fw/gatehouse/rule"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/rule/target"
)

// Kept is the program of a rule that is written back as it was read.
type Kept struct {
	Exprs    []program.Expr
	UserData string
}

// failure is an error and the extension that it is about.
type failure struct {
	extension string
	err       error
}

// Rule compiles one rule for a table. The rule must have no error of its own.
// counted says whether it gets a counter.
func Rule(r rule.Rule, env program.Env, counted bool, after int) (*program.Rule, error) {
	p, f := compileRule(r, env, counted, after)
	if f != nil {
		return nil, f.err
	}
	return p, nil
}

func compileRule(r rule.Rule, env program.Env, counted bool, after int) (*program.Rule, *failure) {
	return new(ruleWriter).rule(r, env, counted, after)
}

// ruleWriter is what compiling a rule needs, for the next rule to use again.
type ruleWriter struct {
	c       program.Code
	headers [lastInOrder + 1]match.Header // by programOrder
	rest    []match.Match
}

func (w *ruleWriter) rule(r rule.Rule, env program.Env, counted bool, after int) (*program.Rule, *failure) {
	p, err := w.spell(r, env, counted, after)
	if err != nil && errors.Is(err.err, userdata.ErrTooLong) && !env.LongComments {
		env.LongComments = true
		return w.spell(r, env, counted, after)
	}
	return p, err
}

// spell is rule with comments where env says they go.
func (w *ruleWriter) spell(r rule.Rule, env program.Env, counted bool, after int) (*program.Rule, *failure) {
	env = place(r, env)
	w.c.Reset(env)
	ud, f := w.write(r, counted)
	if f != nil {
		return nil, f
	}
	p := &program.Rule{Exprs: typed(slices.Clone(w.c.Exprs())), Compat: compat(env)}
	if env.Plain { // iptables-nft writes no userdata, and the names as they are
		return p, nil
	}
	kernelNames(p.Exprs)
	if ud.After = after; ud.Only || ud.After > 0 || len(ud.Notes) > 0 {
		var err error
		if p.UserData, err = ud.Encode(); err != nil {
			return nil, &failure{"comment", err}
		}
	}
	return p, nil
}

// write adds a rule to w.c, whose Env is that of place.
func (w *ruleWriter) write(r rule.Rule, counted bool) (ud userdata.Rule, f *failure) {
	c := &w.c
	if c.Env.Family == program.Inet && r.Family() != nf.Both {
		c.Test(familyTest(r.Family()))
	}
	ud.Only = w.sort(r) && c.Env.Family != program.Inet
	for _, h := range w.headers {
		if h == nil {
			continue
		}
		if err := h.Compile(c); err != nil {
			return ud, &failure{"", err}
		}
	}
	for i, m := range w.rest {
		c.At = i
		if err := compileMatch(c, m); err != nil {
			return ud, &failure{m.Name(), err}
		}
	}
	if counted || r.Preset() {
		n := r.Counters()
		c.Add(program.Counter{Packets: n.Packets, Bytes: n.Bytes})
	}
	c.At = len(w.rest)
	t := r.Target()
	if err := compileTarget(c, t); err != nil {
		return ud, &failure{t.Name(), err}
	}
	ud.Notes, ud.Last = c.Notes(), len(w.rest)
	return ud, nil
}

// sort sorts a rule's matches into w.headers and w.rest; version says that there
// is a -4 or -6, which is in neither.
func (w *ruleWriter) sort(r rule.Rule) (version bool) {
	clear(w.headers[:])
	w.rest = w.rest[:0]
	for m := range r.Matches() {
		switch m := m.(type) {
		case match.Version:
			version = true
		case match.Header:
			w.headers[programOrder(m)] = m
		default:
			w.rest = append(w.rest, m)
		}
	}
	return version
}

// compileMatch adds a match: in the tables that are shared with iptables-nft in
// its dialect, elsewhere as the match itself has it.
func compileMatch(c *program.Code, m match.Match) error {
	if c.Env.Plain {
		if ok, err := match.Extension(m).Shared(m, c); ok {
			return err
		}
	}
	return m.Compile(c)
}

// compileTarget is compileMatch for a target. Verdicts are no extensions.
func compileTarget(c *program.Code, t target.Target) error {
	if e := target.Extension(t); e != nil && c.Env.Plain {
		if ok, err := e.Shared(t, c); ok {
			return err
		}
	}
	return t.Compile(program.Action{Code: c})
}

// typed gives raw expressions their types, so that a caller's bytes and what the
// kernel returns for them are the same program.
func typed(exprs []program.Expr) []program.Expr {
	for _, e := range exprs {
		if _, ok := e.(program.Raw); ok {
			return wire.Canonical(exprs)
		}
	}
	return exprs
}

// place completes an environment with what the rule itself says.
func place(r rule.Rule, env program.Env) program.Env {
	if p, ok := rule.Find[match.Protocol](r); ok {
		proto, not, _ := p.Proto.Get()
		env.Proto, env.ProtoNot = uint8(proto), not
	}
	if env.Family == program.Inet {
		env.IPv4, env.IPv6 = r.Family() == nf.IPv4, r.Family() == nf.IPv6
	}
	return env
}

// compat is what the kernel's xt extensions are told of -p.
func compat(env program.Env) program.Compat {
	c := program.Compat{Proto: uint32(env.Proto), Always: env.Plain}
	if env.ProtoNot {
		c.Flags = program.CompatInverted
	}
	return c
}

// keptCompat is compat for the program of a rule that is not understood: -p is
// what it compares the protocol with.
func keptCompat(exprs []program.Expr, env program.Env) program.Compat {
	rd := program.NewReader(exprs, env, nil)
	for rd.Left() > 0 {
		if h, ok := match.ReadHeader(rd); ok {
			if p, ok := h.(match.Protocol); ok {
				proto, not, _ := p.Proto.Get()
				env.Proto, env.ProtoNot = uint8(proto), not
				break
			}
			continue
		}
		rd.Take(1)
	}
	return compat(env)
}

// lastInOrder is the last place that programOrder gives.
const lastInOrder = 5

// programOrder is where a header match stands in a program, each in a place of
// its own: interfaces and the protocol come before addresses, as iptables-nft
// has them.
func programOrder(h match.Header) int {
	switch h := h.(type) {
	case match.Iface:
		if h.Out {
			return 1
		}
		return 0
	case match.Protocol:
		return 2
	case match.Address:
		if h.Dest {
			return 4
		}
		return 3
	}
	return lastInOrder
}

// familyTest guards a rule of one family in an inet table, whose chains see both.
func familyTest(f nf.Family) program.Test {
	n := program.IP
	if f == nf.IPv6 {
		n = program.IP6
	}
	return program.IsValue(program.Meta{Key: program.MetaNFProto}, false, program.Host8(uint8(n)))
}

// kernelNames spells the chains of verdicts for the kernel.
func kernelNames(exprs []program.Expr) {
	for i, e := range exprs {
		if v, ok := e.(program.Verdict); ok && v.Chain != "" {
			v.Chain = KernelName(v.Chain)
			exprs[i] = v
		}
	}
}
