package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Cgroup is -m cgroup: the control group of the socket that a packet belongs to.
// Exactly one of the two must be given.
//
//	[!] --path path  [!] --cgroup classid
//
// A path is one of the second version's, below where that is mounted, and must be
// there when the rule is made. Packets that only pass through have no socket: it is
// for INPUT, OUTPUT and POSTROUTING. It is the kernel's own xt match, which every family
// has: nf_tables' meta cgroup and socket cgroupv2 look for the socket otherwise.
// An empty path, which iptables takes for "/", is an error. It mirrors
// net/netfilter/xt_cgroup.c.
type Cgroup struct {
	Path Opt[string] // --path, of at most 511 bytes
	ID   Opt[uint32] // --cgroup: the first version's net_cls.classid
}

// Name is "cgroup".
func (Cgroup) Name() string { return cgroup.Name }

func (Cgroup) ext() option.Extension { return cgroup }

const maxPath = 511

var cgroup = &option.Spec[Cgroup]{
	Name: "cgroup",
	Rows: []option.Row[Cgroup]{
		opt("--path", func(m *Cgroup) *Opt[string] { return &m.Path }, quotedText(maxPath)),
		opt("--cgroup", func(m *Cgroup) *Opt[uint32] { return &m.ID }, option.Number[uint32](0, 1<<32-1)),
	},
	Check: func(m *Cgroup, _ option.Context) error {
		path, _, ok := m.Path.Get()
		switch {
		case ok && m.ID.Given():
			return together("--path", "--cgroup")
		case !ok && !m.ID.Given():
			return errors.New("neither --path nor --cgroup is specified")
		case ok && path == "":
			return errors.New("an empty path")
		case len(path) > maxPath || strings.ContainsAny(path, "\n\x00"):
			return fmt.Errorf("a path is one line of at most %d bytes", maxPath)
		}
		return nil
	},
	Needs: func(Cgroup) option.Needs {
		return option.Needs{Chains: []string{"INPUT", "OUTPUT", "POSTROUTING"}}
	},
	List: func(m Cgroup, _ *option.Lister) string {
		if path, not, ok := m.Path.Get(); ok {
			return "cgroup " + blank(not) + path
		}
		id, not, _ := m.ID.Get()
		return "cgroup " + blank(not) + fmt.Sprint(id)
	},
	XT: &option.XT[Cgroup]{Inet: true, Encode: Cgroup.encode, Decode: readCgroup},
}

// quotedText is option.Text, always in quotes.
func quotedText(n int) option.Codec[string] {
	c := option.Text(n)
	c.Print = func(s string, _ nf.Family) string { return quoted(s) }
	return c
}

// quoted is a word in double quotes, with \ before what needs one.
func quoted(s string) string {
	if q := option.Quote(s); strings.HasPrefix(q, `"`) {
		return q
	}
	return `"` + s + `"`
}

// Compile is the kernel's own match.
func (m Cgroup) Compile(c *program.Code) error { return cgroup.Kernel(c, m) }

// cgroupRevision is the only one that has both.
const cgroupRevision = 2

func (m Cgroup) encode(program.Env) (rev uint8, info string) {
	if path, not, ok := m.Path.Get(); ok {
		b := xtables.Cgroup{HasPath: 1, InvertPath: bitIf[uint8](not, 1)}
		copy(b.Path[:maxPath], path)
		return cgroupRevision, xtables.Encode(b)
	}
	id, not, _ := m.ID.Get()
	return cgroupRevision, xtables.Encode(xtables.CgroupID{HasID: 1, InvertID: bitIf[uint8](not, 1), ID: id})
}

func readCgroup(rev uint8, info string, _ program.Env) (m Cgroup, ok bool) {
	b, ok := xtables.Decode[xtables.Cgroup](info)
	switch {
	case !ok || rev != cgroupRevision || b.HasPath+b.HasID != 1 || b.InvertPath > b.HasPath || b.InvertID > b.HasID:
		return m, false
	case b.HasPath == 1:
		path := xtables.String(b.Path[:])
		return Cgroup{Path: isOrNot(b.InvertPath == 1, path)}, path != ""
	}
	c, ok := xtables.Decode[xtables.CgroupID](info)
	return Cgroup{ID: isOrNot(c.InvertID == 1, c.ID)}, ok
}
