package match

import (
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// NFAcct is -m nfacct: it matches every packet and counts it in one of the kernel's
// accounting objects, which the command nfacct makes, or, where the object has a
// quota, matches once that is used up. The zero value is an error; an object that
// is not there is refused when the rule is programmed.
//
//	--nfacct-name name
//
// It is the kernel's own xt match, revision 1, which every table has. It mirrors
// net/netfilter/xt_nfacct.c. A longer name, which iptables cuts off, is an error in
// a literal.
type NFAcct string

// maxNFAcct is NFACCT_NAME_MAX less the end of the string.
const maxNFAcct = 31

// Name is "nfacct".
func (NFAcct) Name() string { return nfacct.Name }

func (NFAcct) ext() option.Extension { return nfacct }

var nfacct = &option.Spec[NFAcct]{
	Name: "nfacct",
	Rows: []option.Row[NFAcct]{{
		Name: "--nfacct-name", Args: 1, Want: "the name of an accounting object",
		Set: func(m *NFAcct, _ bool, w []string, c option.Context) error {
			s, err := option.Cut(maxNFAcct).Parse(w[0], c)
			*m = NFAcct(s)
			return err
		},
		Get: func(m *NFAcct, _ nf.Family) (bool, string, bool) {
			return false, " " + option.Bare(string(*m)), true // two blanks, as iptables prints them
		},
	}},
	Check: func(m *NFAcct, _ option.Context) error {
		if err := option.CheckText(string(*m), maxNFAcct); err != nil {
			return fmt.Errorf("--nfacct-name must be specified, and %w", err)
		}
		return nil
	},
	List: func(m NFAcct, _ *option.Lister) string { return "nfacct-name  " + string(m) },
	XT: option.XTStruct(option.XT[NFAcct]{Inet: true}, 1,
		func(m NFAcct, _ program.Env) (b xtables.NFAcct) {
			copy(b.Name[:maxNFAcct], m)
			return b
		},
		func(b xtables.NFAcct, _ program.Env) (NFAcct, bool) {
			return NFAcct(xtables.String(b.Name[:])), b.Object == 0
		}),
}

// Compile adds the kernel's match.
func (m NFAcct) Compile(c *program.Code) error { return nfacct.Kernel(c, m) }
