// Package target holds the targets of iptables: what happens to a packet that
// a rule matches. One file an extension, one type a file, named as -j names it.
//
// Every target is a comparable value. Where a zero field would say something
// other than "not given", the target is made by a function (SetMark, DNATTo).
package target

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Target is what a rule does. Only this module can implement it; kernel targets
// that it does not know go in as XT, raw expressions as Raw.
type Target interface {
	// Name is the target's name after -j.
	Name() string
	// Compile adds the target to a program. For the pipeline, not for callers.
	Compile(a program.Action) error

	ext() option.Extension
}

// Extension is what the pipeline knows of a target; nil for verdicts, jumps and
// gotos, which take no options.
func Extension(t Target) option.Extension { return t.ext() }

// Find is the extension that -j names; ok is false if there is none: then it is
// a verdict or the name of a chain.
func Find(name string) (e option.Extension, ok bool) {
	for _, e := range extensions {
		if e.ExtName() == name {
			return e, true
		}
	}
	return nil, false
}

// All are the extensions that -j names, in the order in which a program is offered
// to them.
func All() []option.Extension { return slices.Clone(extensions) }

// Read takes the target that comes next off a rule's program; ok is false where
// no target has that form.
func Read(r *program.Reader) (t Target, ok bool) {
	if r.Left() == 0 {
		return None, true
	}
	if v, ok := readVerdict(r); ok {
		return v, true
	}
	if name := r.Is(); name != "" {
		if e, ok := Find(name); ok {
			if v, ok := e.ReadFrom(r); ok {
				return v.(Target), true
			}
		}
	}
	next, pos := r.Item(0), r.Pos()
	for _, e := range extensions {
		v, ok := e.ReadFrom(r)
		if !ok {
			continue
		}
		if t := v.(Target); r.Env.Plain || comesBack(t, next, r.Env) {
			return t, true
		}
		r.Seek(pos)
	}
	return nil, false
}

// comesBack says whether a target that was read off next, where that is a kernel
// extension, would be one again: in our own tables most are native, and a caller's
// XT of the same name is to stay one.
func comesBack(t Target, next program.Expr, env program.Env) bool {
	if _, ok := next.(program.XTTarget); !ok {
		return true
	}
	c := program.Code{Env: env}
	err := t.Compile(program.Action{Code: &c})
	return err == nil && len(c.Exprs()) == 1 && c.Exprs()[0] == next
}

// extensions are all targets with options, in the order in which a program is
// offered to them: where two spell the same program, the one that is spelled
// more often comes first, and the other leaves a note.
var extensions = []option.Extension{
	audit,
	checksum,
	classify,
	clusterip,
	connmark,
	connsecmark,
	ct,
	dnat,
	dnpt,
	dscp,
	ecn,
	hl,
	hmark,
	idletimer,
	ipset,
	led,
	logger,
	mark,
	masquerade,
	netmap,
	nflog,
	nfqueue,
	notrack,
	rateest,
	redirect,
	reject,
	secmark,
	snat,
	snpt,
	synproxy,
	tcpmss,
	tcpoptstrip,
	tee,
	tos,
	tproxy,
	trace,
	ttl,
	ulog,
	raw,
	xt,
}
