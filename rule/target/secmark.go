package target

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// SECMARK is -j SECMARK: it gives packets a security mark for a module like
// SELinux, by its context ("system_u:object_r:ssh_packet_t:s0"). The zero value is
// an error. It is for the tables mangle and security.
//
//	--selctx context
//
// It is the kernel's own xt target, revision 1, which the kernel ties to these
// two table names, and takes only where a policy is loaded that has the context.
// It mirrors net/netfilter/xt_SECMARK.c.
type SECMARK string

// maxContext is SECMARK_SECCTX_MAX less the end of the string.
const maxContext = 255

// Name is "SECMARK".
func (SECMARK) Name() string { return secmark.Name }

func (SECMARK) ext() option.Extension { return secmark }

var secmark = &option.Spec[SECMARK]{
	Name: "SECMARK",
	Rows: []option.Row[SECMARK]{{
		Name: "--selctx", Args: 1, Want: "a security context",
		Set: func(t *SECMARK, _ bool, w []string, c option.Context) error {
			s, err := option.Cut(maxContext).Parse(w[0], c)
			*t = SECMARK(s)
			return err
		},
		Get: func(t *SECMARK, _ nf.Family) (bool, string, bool) { return false, option.Bare(string(*t)), true },
	}},
	Check: func(t *SECMARK, _ option.Context) error {
		if err := option.CheckText(string(*t), maxContext); err != nil {
			return fmt.Errorf("option --selctx must be specified, and %w", err)
		}
		return nil
	},
	Needs: func(SECMARK) option.Needs { return option.Needs{Tables: []string{"mangle", "security"}} },
	List:  func(t SECMARK, _ *option.Lister) string { return "SECMARK selctx " + string(t) },
	XT: option.XTStruct(option.XT[SECMARK]{Target: true, Tables: []string{"mangle", "security"}}, 1,
		func(t SECMARK, _ program.Env) xtables.SecMark {
			b := xtables.SecMark{Mode: xtables.SecMarkSEL}
			copy(b.Context[:maxContext], t)
			return b
		},
		func(b xtables.SecMark, _ program.Env) (SECMARK, bool) {
			return SECMARK(xtables.String(b.Context[:])), b.Mode == xtables.SecMarkSEL && b.ID == 0
		}),
}

// Compile adds the kernel's target.
func (t SECMARK) Compile(a program.Action) error { return secmark.Kernel(a.Code, t) }
