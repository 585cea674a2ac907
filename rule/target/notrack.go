package target

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// NoTrack is -j NOTRACK, the old spelling of -j CT --notrack: the packet is not
// tracked, its state is UNTRACKED. It is valid in table raw, and takes no options.
//
// It is native in every family, nf_tables' notrack expression. iptables -L names
// the target CT, and prints NOTRACK behind it.
type NoTrack struct{}

// Name is "NOTRACK".
func (NoTrack) Name() string { return notrack.Name }

func (NoTrack) ext() option.Extension { return notrack }

var notrack = &option.Spec[NoTrack]{
	Name: "NOTRACK",
	Needs: func(NoTrack) option.Needs {
		return option.Needs{Tables: []string{"raw"}, Chains: []string{"PREROUTING", "OUTPUT"}}
	},
	List: func(NoTrack, *option.Lister) string { return "NOTRACK" },
	Read: func(r *program.Reader) (NoTrack, bool) {
		if r.Item(0) != (program.Notrack{}) || r.Is() != "NOTRACK" {
			return NoTrack{}, false
		}
		r.Take(1)
		return NoTrack{}, true
	},
	XT: option.XTStruct(option.XT[NoTrack]{Name: "CT", Target: true, Tables: []string{"raw"}}, 2,
		func(NoTrack, program.Env) xtables.CT { return xtables.CT{Flags: ctNoTrack | ctAlias} },
		func(b xtables.CT, _ program.Env) (NoTrack, bool) {
			return NoTrack{}, b == xtables.CT{Flags: ctNoTrack | ctAlias}
		}),
}

// Compile adds notrack, and notes its name.
func (NoTrack) Compile(a program.Action) error {
	a.Add(program.Notrack{})
	a.Is("NOTRACK")
	return nil
}
