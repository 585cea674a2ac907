package backend

import (
	"context"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Snapshot is one generation of a whole namespace. Immutable.
type Snapshot struct {
	generation uint32
	ours       table.Ruleset
	others     []Other
}

// Hook is where a foreign base chain sits.
type Hook struct {
	Chain    string
	Point    string // "prerouting", "input", …
	Type     string // "filter", "nat", "route"
	Priority int
	Policy   string // "accept" or "drop"
	After    bool   // it is asked after ours: our ACCEPT is not final there
}

// Other is one nf_tables table of somebody else.
type Other struct {
	Family string // "ip", "ip6", "inet", "bridge", "netdev", "arp"
	Name   string
	Maker  string // "iptables-nft", an owner of ours, or "?"
	Hooks  []Hook
}

// Snapshot reads the whole namespace, other programs' tables included, at one generation.
func (f *Firewall) Snapshot(ctx context.Context) (*Snapshot, error) {
	got, err := f.drv.Read(ctx, driver.Scope{})
	if err != nil {
		return nil, f.driverError("read", err)
	}
	return f.snapshotOf("read", got)
}

// snapshotOf is what was read as a value.
func (f *Firewall) snapshotOf(op string, got *driver.State) (*Snapshot, error) {
	st, err := f.state(op, got)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{generation: got.Generation, ours: st.rules()}
	for _, t := range got.Program.Tables {
		if !f.owned(t.Family, t.Name) {
			s.others = append(s.others, f.other(t, st.raw))
		}
	}
	return s, nil
}

// Generation is the kernel's count of commits in this namespace.
func (s *Snapshot) Generation() uint32 { return s.generation }

// Ours is the owner's ruleset.
func (s *Snapshot) Ours() table.Ruleset { return s.ours }

// Others are the tables of other programs, with the hooks that their packets pass.
func (s *Snapshot) Others() []Other { return slices.Clone(s.others) }

// with is the snapshot as a plan would leave it.
func (s *Snapshot) with(f *Firewall, p *Plan) *Snapshot {
	after := *s
	var tables []table.Table
	replaced := f.before(p.st, p.have)
	for t := range s.ours.Tables() {
		if _, ok := replaced.Table(t.ID()); !ok {
			tables = append(tables, t)
		}
	}
	for t := range p.after.Tables() {
		tables = append(tables, t)
	}
	after.ours = table.NewRuleset(tables...)
	return &after
}

// other describes a foreign table.
func (f *Firewall) other(t *program.Table, ours *program.Program) Other {
	o := Other{Family: t.Family.String(), Name: t.Name, Maker: maker(t)}
	for _, c := range t.Chains {
		if !c.Base {
			continue
		}
		o.Hooks = append(o.Hooks, Hook{
			Chain: c.Name, Point: point(t.Family, c.Hook.Num), Type: c.Hook.Type,
			Priority: int(c.Hook.Priority), Policy: c.Policy.String(), After: after(t.Family, c, ours),
		})
	}
	return o
}

// maker guesses who made a table: the comment of ours, or the names and
// families that iptables-nft keeps.
func maker(t *program.Table) string {
	if ud, ok, _ := userdata.DecodeTable(t.UserData); ok {
		return ud.Owner
	}
	if _, ok := compile.Owned(t.Family, t.Name, compile.Options{Plain: true}); ok {
		return "iptables-nft"
	}
	return "?"
}

// point is nft's word for a hook.
func point(f program.Family, num uint32) string {
	names := [...]string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	switch {
	case f == program.Netdev:
		names[0], names[1] = "ingress", "egress"
	case f == program.ARP:
		names[0], names[1] = "input", "output"
	}
	if int(num) < len(names) {
		return names[num]
	}
	return "?"
}

// after says whether a foreign base chain is asked after one of ours at the same
// hook. Among equal priorities the younger is asked first, which a dump does not
// tell: then the answer is yes, the careful one.
func after(f program.Family, c *program.Chain, ours *program.Program) bool {
	for _, t := range ours.Tables {
		if f != program.Inet && t.Family != program.Inet && t.Family != f {
			continue
		}
		for _, m := range t.Chains {
			if m.Base && m.Hook.Num == c.Hook.Num && m.Hook.Priority <= c.Hook.Priority {
				return true
			}
		}
	}
	return false
}
