package match

import (
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Devgroup is -m devgroup: the group of the interface that a packet came in on,
// or will leave by, as "ip link set dev … group" set it. One of the two must be
// given, and a packet must have such an interface.
//
//	[!] --src-group value[/mask]  [!] --dst-group value[/mask]
//
// A name is one of the host's /etc/iproute2/group, which is read when the rule is
// parsed. It is printed as a number, but for 0, which is default on every host
// (iptables-save looks all of them up). It is native: meta iifgroup and oifgroup;
// bits outside the mask, which the kernel's own match leaves aside, make it that
// one. It mirrors net/netfilter/xt_devgroup.c.
type Devgroup struct {
	Src Opt[nf.MarkBits] // --src-group: nf.Mark(10) is group 10
	Dst Opt[nf.MarkBits] // --dst-group
}

// Name is "devgroup".
func (Devgroup) Name() string { return devgroup.Name }

func (Devgroup) ext() option.Extension { return devgroup }

var devgroup = &option.Spec[Devgroup]{
	Name: "devgroup",
	Rows: []option.Row[Devgroup]{
		opt("--src-group", func(m *Devgroup) *Opt[nf.MarkBits] { return &m.Src }, groups),
		opt("--dst-group", func(m *Devgroup) *Opt[nf.MarkBits] { return &m.Dst }, groups),
	},
	Check: func(m *Devgroup, _ option.Context) error {
		if !m.Src.Given() && !m.Dst.Given() {
			return errors.New("You must specify either '--src-group' or '--dst-group'")
		}
		return errors.Join(valid(m.Src), valid(m.Dst))
	},
	Needs: func(m Devgroup) option.Needs {
		switch {
		case m.Src.Given() && m.Dst.Given():
			return option.Needs{Chains: []string{"FORWARD"}}
		case m.Src.Given():
			return option.Needs{Chains: []string{"PREROUTING", "INPUT", "FORWARD"}}
		}
		return option.Needs{Chains: []string{"FORWARD", "OUTPUT", "POSTROUTING"}}
	},
	List: listDevgroup,
	Read: readDevgroup,
	XT:   option.XTStruct(option.XT[Devgroup]{Inet: true}, 0, Devgroup.blob, readDevgroupBlob),
}

const defaultGroup = "default"

// groups is a codec for "value[/mask]" or a name.
var groups = option.Codec[nf.MarkBits]{
	Want: "value[/mask], or the name of a group",
	Parse: func(w string, c option.Context) (nf.MarkBits, error) {
		if b, err := option.MarkBits.Parse(w, c); err == nil {
			return b, nil
		}
		n, ok := numberOf(w, 1<<32-1, "/etc/iproute2/group", "/usr/share/iproute2/group")
		if w == defaultGroup {
			n, ok = 0, true
		}
		if !ok {
			return nf.MarkBits{}, fmt.Errorf("could not map name %s to an integer value", w)
		}
		return nf.Mark(uint32(n)), nil
	},
	Print: func(b nf.MarkBits, _ nf.Family) string {
		if b == nf.Mark(0) {
			return defaultGroup
		}
		return hexBits(b)
	},
}

// hexBits is a number and a mask with 0x before both, a 0 too.
func hexBits(b nf.MarkBits) string {
	if b.Mask() == 1<<32-1 {
		return fmt.Sprintf("0x%x", b.Value())
	}
	return fmt.Sprintf("0x%x/0x%x", b.Value(), b.Mask())
}

// groupLoads are the native forms of the two.
var groupLoads = [2]program.Meta{{Key: program.MetaIifgroup}, {Key: program.MetaOifgroup}}

// Compile compares the groups.
func (m Devgroup) Compile(c *program.Code) error {
	for _, o := range [...]Opt[nf.MarkBits]{m.Src, m.Dst} {
		if b, _, _ := o.Get(); b.Value()&^b.Mask() != 0 || o.Given() && b.Mask() == 0 {
			return devgroup.Kernel(c, m)
		}
	}
	for i, o := range [...]Opt[nf.MarkBits]{m.Src, m.Dst} {
		if o.Given() {
			c.Test(markTest(groupLoads[i], o))
		}
	}
	return nil
}

func readDevgroup(r *program.Reader) (m Devgroup, ok bool) {
	m.Src, _ = readMark(r, groupLoads[0])
	m.Dst, _ = readMark(r, groupLoads[1])
	return m, m.Src.Given() || m.Dst.Given()
}

// listDevgroup prints both as the options are named.
func listDevgroup(m Devgroup, l *option.Lister) string {
	s := ""
	for i, o := range [...]Opt[nf.MarkBits]{m.Src, m.Dst} {
		b, not, ok := o.Get()
		if !ok {
			continue
		}
		if s != "" {
			s += " "
		}
		s += blank(not) + [...]string{"src-group ", "dst-group "}[i]
		if l.Numeric() {
			s += hexBits(b)
		} else {
			s += groups.Print(b, nf.Both)
		}
	}
	return s
}

func (m Devgroup) blob(program.Env) (b xtables.Devgroup) {
	src, not, ok := m.Src.Get()
	b.Src, b.SrcMask = src.Value(), src.Mask()
	b.Flags = bitIf[uint32](ok, xtables.DevgroupSrc) | bitIf[uint32](not, xtables.DevgroupInvertSrc)
	dst, not, ok := m.Dst.Get()
	b.Dst, b.DstMask = dst.Value(), dst.Mask()
	b.Flags |= bitIf[uint32](ok, xtables.DevgroupDst) | bitIf[uint32](not, xtables.DevgroupInvertDst)
	return b
}

func readDevgroupBlob(b xtables.Devgroup, _ program.Env) (m Devgroup, ok bool) {
	if b.Flags&xtables.DevgroupSrc != 0 {
		m.Src = isOrNot(b.Flags&xtables.DevgroupInvertSrc != 0, nf.MarkMask(b.Src, b.SrcMask))
	}
	if b.Flags&xtables.DevgroupDst != 0 {
		m.Dst = isOrNot(b.Flags&xtables.DevgroupInvertDst != 0, nf.MarkMask(b.Dst, b.DstMask))
	}
	return m, m.blob(program.Env{}) == b && b.Flags != 0
}
