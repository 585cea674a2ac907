package target

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// CONNSECMARK is -j CONNSECMARK: it copies the security mark of a packet to its
// connection, where that has none yet, or back. One of SaveSecMark and
// RestoreSecMark; the zero value is an error. It is for the tables mangle and
// security.
//
//	--save | --restore
//
// It is the kernel's own xt target, which the kernel ties to these two table
// names: nf_tables copies security marks, but whether there is one already it
// does not look at. It mirrors net/netfilter/xt_CONNSECMARK.c.
type CONNSECMARK uint8

// The directions of a CONNSECMARK.
const (
	SaveSecMark    CONNSECMARK = iota + 1 // --save: the packet's to the connection
	RestoreSecMark                        // --restore: the connection's to the packet
)

// Name is "CONNSECMARK".
func (CONNSECMARK) Name() string { return connsecmark.Name }

func (CONNSECMARK) ext() option.Extension { return connsecmark }

var connsecmark = &option.Spec[CONNSECMARK]{
	Name: "CONNSECMARK",
	Rows: []option.Row[CONNSECMARK]{secmarkRow("--save", SaveSecMark), secmarkRow("--restore", RestoreSecMark)},
	Check: func(t *CONNSECMARK, _ option.Context) error {
		if *t != SaveSecMark && *t != RestoreSecMark {
			return errors.New("parameter required: --save or --restore")
		}
		return nil
	},
	Needs: func(CONNSECMARK) option.Needs { return option.Needs{Tables: []string{"mangle", "security"}} },
	List: func(t CONNSECMARK, _ *option.Lister) string {
		if t == SaveSecMark {
			return "CONNSECMARK save"
		}
		return "CONNSECMARK restore"
	},
	XT: option.XTStruct(option.XT[CONNSECMARK]{Target: true, Tables: []string{"mangle", "security"}}, 0,
		func(t CONNSECMARK, _ program.Env) xtables.ConnSecMark { return xtables.ConnSecMark{Mode: uint8(t)} },
		func(b xtables.ConnSecMark, _ program.Env) (CONNSECMARK, bool) { return CONNSECMARK(b.Mode), true }),
}

func secmarkRow(name string, mode CONNSECMARK) option.Row[CONNSECMARK] {
	return option.Row[CONNSECMARK]{
		Name: name,
		Set: func(t *CONNSECMARK, _ bool, _ []string, _ option.Context) error {
			if *t != 0 {
				return errors.New("--save cannot be used together with --restore")
			}
			*t = mode
			return nil
		},
		Get: func(t *CONNSECMARK, _ nf.Family) (bool, string, bool) { return false, "", *t == mode },
	}
}

// Compile adds the kernel's target.
func (t CONNSECMARK) Compile(a program.Action) error { return connsecmark.Kernel(a.Code, t) }
