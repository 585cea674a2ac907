package target

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Raw is one nf_tables expression that ends the rule, as the kernel's netlink attributes spell it. It is
// how unknown expressions survive, and how a caller adds one on purpose. As text
// it is "-j NFT --expr name:hex", which the real iptables refuses, so that a
// saved rule never loads there with a part of it missing.
type Raw struct {
	Expr string // "fib", "queue", …; empty is an error
	Data string // NFTA_EXPR_DATA, byte for byte
}

// Name is "NFT".
func (Raw) Name() string { return raw.Name }

func (Raw) ext() option.Extension { return raw }

var raw = &option.Spec[Raw]{
	Name: "NFT",
	Rows: []option.Row[Raw]{{
		Name: "--expr", Args: 1, Want: "name:hex",
		Set: func(r *Raw, _ bool, w []string, _ option.Context) error {
			name, digits, _ := strings.Cut(w[0], ":")
			data, err := hex.DecodeString(digits)
			*r = Raw{name, string(data)}
			return err
		},
		Get: func(r *Raw, _ nf.Family) (bool, string, bool) {
			return false, r.Expr + ":" + hex.EncodeToString([]byte(r.Data)), true
		},
	}},
	Check: func(r *Raw, _ option.Context) error {
		if r.Expr == "" {
			return errors.New("--expr must name an expression")
		}
		return nil
	},
	List: func(r Raw, _ *option.Lister) string {
		return fmt.Sprintf("nft expr %s:%x", r.Expr, r.Data)
	},
	Read: func(r *program.Reader) (Raw, bool) {
		e, ok := r.Item(0).(program.Raw)
		if !ok || r.Left() != 1 {
			return Raw{}, false
		}
		r.Take(1)
		return Raw{e.Name, e.Data}, true
	},
}

// Compile adds the expression as it is.
func (r Raw) Compile(a program.Action) error {
	a.Add(program.Raw{Name: r.Expr, Data: r.Data})
	return nil
}
