package backend

import (
	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/table"
)

// withKept is a ruleset with the administrator's chains that it does not name: those
// that were made with chain.Keep stay where the ruleset replaces their table. What an
// Edit removed it removed, so this is not for edits.
func (f *Firewall) withKept(st *state, rs table.Ruleset) table.Ruleset {
	for _, t := range st.raw.Tables {
		for _, c := range t.Chains {
			if c.Base || !userdata.DecodeChain(c.UserData).Keep {
				continue
			}
			name := c.Name
			if !f.opts.Plain {
				name = compile.ModelName(name)
			}
			for x := range rs.Tables() {
				if _, named := x.Chain(name); !named && f.half(t, x.ID()) {
					rs = rs.With(x.WithChain(chain.Keep(name)))
				}
			}
		}
	}
	return rs
}
