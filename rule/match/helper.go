package match

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Helper is -m helper: the packet belongs to a connection that a helper of
// connection tracking announced, like the data of FTP.
//
//	[!] --helper name
//
// It is the kernel's own xt match, which every table has. nf_tables' "ct helper"
// breaks off where there is no helper, so that its inversion differs, and compares
// whole names: here "ftp" is also "ftp-2121". An empty name is any helper. It
// mirrors net/netfilter/xt_helper.c. A longer name, which iptables cuts off, is an
// error in a literal.
type Helper struct {
	Helper Opt[string] // --helper: at most 29 bytes; absent is an error
}

// maxHelper is the name of struct xt_helper_info less the end of the string.
const maxHelper = 29

// Name is "helper".
func (Helper) Name() string { return helper.Name }

func (Helper) ext() option.Extension { return helper }

var helper = &option.Spec[Helper]{
	Name: "helper",
	Rows: []option.Row[Helper]{opt("--helper", func(m *Helper) *Opt[string] { return &m.Helper }, option.Codec[string]{
		Want:  "a name of at most 29 bytes",
		Parse: option.Cut(maxHelper).Parse,
		Print: func(s string, _ nf.Family) string { return option.Quote(s) },
	})},
	Check: func(m *Helper, _ option.Context) error {
		name, _, ok := m.Helper.Get()
		if !ok {
			return fmt.Errorf("option %q must be specified", "--helper")
		}
		if err := option.CheckText(name, maxHelper); name != "" && err != nil {
			return fmt.Errorf("--helper %w", err)
		}
		return nil
	},
	List: func(m Helper, _ *option.Lister) string {
		name, not, _ := m.Helper.Get()
		return "helper match " + blank(not) + `"` + name + `"`
	},
	XT: option.XTStruct(option.XT[Helper]{Inet: true}, 0,
		func(m Helper, _ program.Env) (b xtables.Helper) {
			name, not, _ := m.Helper.Get()
			copy(b.Name[:maxHelper], name)
			if not {
				b.Invert = 1
			}
			return b
		},
		func(b xtables.Helper, _ program.Env) (Helper, bool) {
			return Helper{isOrNot(b.Invert == 1, xtables.String(b.Name[:]))}, b.Invert <= 1
		}),
}

// Compile adds the kernel's match.
func (m Helper) Compile(c *program.Code) error { return helper.Kernel(c, m) }
