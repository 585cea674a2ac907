package target

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Trace is -j TRACE: from here on the kernel tells of every rule that the packet
// matches, until its verdict. It is valid in table raw, and takes no options.
//
// It is native in every family: meta nftrace. The kernel tells nf_tables' trace
// listeners (nft monitor trace), where iptables-legacy's kernel log is
// silent. It mirrors net/netfilter/xt_TRACE.c.
type Trace struct{}

// Name is "TRACE".
func (Trace) Name() string { return trace.Name }

func (Trace) ext() option.Extension { return trace }

var trace = &option.Spec[Trace]{
	Name: "TRACE",
	Needs: func(Trace) option.Needs {
		return option.Needs{Tables: []string{"raw"}, Chains: []string{"PREROUTING", "OUTPUT"}}
	},
	Read: func(r *program.Reader) (Trace, bool) {
		im, ok := r.Item(0).(program.Immediate)
		if !ok || im != traceOn(r.Env) || r.Item(1) != program.Expr(traceStore(r.Env)) {
			return Trace{}, false
		}
		r.Take(2)
		return Trace{}, true
	},
	SharedNative: true,
}

// traceReg is a register as nft uses it, or, in the tables that we share with it,
// iptables-nft.
func traceReg(env program.Env) program.Reg {
	if env.Plain {
		return 9
	}
	return 1
}

func traceOn(env program.Env) program.Immediate {
	return program.Immediate{Reg: traceReg(env), Value: program.Host8(1)}
}

func traceStore(env program.Env) program.MetaSet {
	return program.MetaSet{Key: program.MetaNftrace, Reg: traceReg(env)}
}

// Compile turns the packet's mark of tracing on.
func (Trace) Compile(a program.Action) error {
	a.Add(traceOn(a.Env), traceStore(a.Env))
	return nil
}
