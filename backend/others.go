package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/gatehouse-fw/gatehouse/chain"
	"github.com/gatehouse-fw/gatehouse/internal/compile"
	"github.com/gatehouse-fw/gatehouse/internal/driver"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/internal/userdata"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
	"github.com/gatehouse-fw/gatehouse/table"
)

// Hook is where a foreign base chain sits.
type Hook struct {
	Chain    string
	Point    string // "prerouting", "input", …
	Type     string // "filter", "nat", "route"
	Priority int
	Policy   string // "accept" or "drop"; "" where it is not known, as of a legacy table
	After    bool   // it is asked after ours: our ACCEPT is not final there
}

// String is "INPUT: filter, input at 0, policy drop, after ours".
func (h Hook) String() string {
	s := fmt.Sprintf("%s: %s, %s at %d", h.Chain, h.Type, h.Point, h.Priority)
	if h.Policy != "" {
		s += ", policy " + h.Policy
	}
	if h.After {
		s += ", after ours"
	}
	return s
}

// Other is one nf_tables or legacy table of somebody else.
type Other struct {
	Family string // "ip", "ip6", "inet", "bridge", "netdev", "arp"
	Name   string
	Maker  string // "iptables-nft", "iptables-legacy", an owner of ours, another program by the table's name, or "?"
	Hooks  []Hook

	// Dormant says that the table is switched off: no packet passes its hooks.
	Dormant bool

	// Owned says that one process alone may change the table, and that it goes with
	// that one's socket (NFT_TABLE_F_OWNER). PID is its number, as far as the
	// socket's says it: the first that a process opens does. 0: not known.
	Owned bool
	PID   int
}

// String is "ip filter (iptables-nft)".
func (o Other) String() string {
	s := fmt.Sprintf("%s %s (%s)", o.Family, o.Name, o.Maker)
	if o.Dormant {
		s += ", dormant"
	}
	switch {
	case o.PID != 0:
		s += fmt.Sprintf(", owned by process %d", o.PID)
	case o.Owned:
		s += ", owned by one process"
	}
	return s
}

// Others are all tables in a driver's namespace, and the generation. After is said
// as for an owner with tables at iptables' own priorities. It is for the module's
// own backends: users have Snapshot and nft.Survey. The error is the driver's; one
// that is fs.ErrPermission comes with what could be seen.
func Others(ctx context.Context, drv driver.Driver) ([]Other, uint32, error) {
	got, unread := drv.Read(ctx, driver.Scope{Bare: true})
	switch {
	case errors.Is(unread, fs.ErrPermission):
		got = &driver.State{Program: &program.Program{}}
	case unread != nil:
		return nil, 0, unread
	}
	var ours []base
	for _, h := range table.Filter.BuiltIns() {
		ours = append(ours, base{program.Inet, h.Num, h.Priority})
	}
	var out []Other
	for _, t := range got.Program.Tables {
		out = append(out, otherOf(t, ours))
	}
	old, err := legacy(ctx, drv, ours)
	if err == nil {
		err = unread
	}
	return append(out, old...), got.Generation, err
}

// base is where a base chain sits.
type base struct {
	family   program.Family
	num      uint32
	priority int32
}

// basesOf are the base chains of a program.
func basesOf(p *program.Program) []base {
	var out []base
	for _, t := range p.Tables {
		for _, c := range t.Chains {
			if c.Base {
				out = append(out, base{t.Family, c.Hook.Num, c.Hook.Priority})
			}
		}
	}
	return out
}

// after says whether a base chain is asked after one of ours at the same hook.
// Among equal priorities the younger is asked first, which a dump does not tell:
// then the answer is yes, the careful one.
func (b base) after(ours []base) bool {
	return slices.ContainsFunc(ours, func(o base) bool {
		return meet(b.family, o.family) && o.num == b.num && o.priority <= b.priority
	})
}

// meet says whether packets pass the hooks of both families: those of inet are the
// hooks of ip and ip6, and no others.
func meet(a, b program.Family) bool {
	inet := func(f program.Family) bool { return f == program.IP || f == program.IP6 }
	return a == b || a == program.Inet && inet(b) || b == program.Inet && inet(a)
}

// mostProcesses is Linux' PID_MAX_LIMIT. A socket that is not its process's first
// has a number far above.
const mostProcesses = 1 << 22

// other describes a foreign table.
func (f *Firewall) other(t *program.Table, ours *program.Program) Other {
	return otherOf(t, basesOf(ours))
}

// otherOf describes a table beside base chains of ours.
func otherOf(t *program.Table, ours []base) Other {
	o := Other{
		Family: t.Family.String(), Name: t.Name, Maker: maker(t),
		Dormant: t.Flags&program.TableDormant != 0, Owned: t.Flags&program.TableOwned != 0,
	}
	if t.Port <= mostProcesses {
		o.PID = int(t.Port)
	}
	for _, c := range t.Chains {
		if !c.Base {
			continue
		}
		o.Hooks = append(o.Hooks, Hook{
			Chain: c.Name, Point: point(t.Family, c.Hook.Num), Type: c.Hook.Type,
			Priority: int(c.Hook.Priority), Policy: c.Policy.String(),
			After: !o.Dormant && base{t.Family, c.Hook.Num, c.Hook.Priority}.after(ours),
		})
	}
	return o
}

// legacy are the tables of iptables-legacy and ip6tables-legacy. Their chains are
// attached as iptables' always are; what their policies are the kernel tells only
// those who open them.
func legacy(ctx context.Context, drv driver.Driver, ours []base) ([]Other, error) {
	host, ok := drv.(driver.Legacy)
	if !ok {
		return nil, nil
	}
	ip, ip6, err := host.Legacy(ctx)
	var out []Other
	for f, names := range map[program.Family][]string{program.IP: ip, program.IP6: ip6} {
		for _, name := range names {
			o := Other{Family: f.String(), Name: name, Maker: "iptables-legacy"}
			id, _ := table.Named(name) // those of other names have chains that we do not know
			for _, h := range id.BuiltIns() {
				o.Hooks = append(o.Hooks, Hook{
					Chain: h.Chain, Point: point(f, h.Num), Type: h.Type, Priority: int(h.Priority),
					After: base{f, h.Num, h.Priority}.after(ours),
				})
			}
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b Other) int { return strings.Compare(a.Family+" "+a.Name, b.Family+" "+b.Name) })
	return out, err
}

// maker guesses who made a table: the comment of ours, the names, families and
// chains that iptables-nft keeps, or a name that only one program uses.
func maker(t *program.Table) string {
	if ud, ok, _ := userdata.DecodeTable(t.UserData); ok {
		return ud.Owner
	}
	if id, ok := compile.Owned(t.Family, t.Name, compile.Options{Plain: true}); ok && id.Family() != nf.Both && likeIptables(t) {
		return "iptables-nft"
	}
	for _, known := range [...]struct{ table, program string }{
		{"docker-bridges", "docker"},
		{"f2b-table", "fail2ban"},
		{"firewalld", "firewalld"},
		{"io.systemd.nat", "systemd"},
		{"kube-proxy", "kube-proxy"},
		{"libvirt_network", "libvirt"},
		{"netavark", "netavark"},
	} {
		if t.Name == known.table {
			return known.program
		}
	}
	return "?"
}

// likeIptables says whether a table's base chains can be iptables': one at least
// has a name of theirs, or there are none.
func likeIptables(t *program.Table) bool {
	any := false
	for _, c := range t.Chains {
		if c.Base && chain.IsBuiltIn(c.Name) {
			return true
		}
		any = any || c.Base
	}
	return !any
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
