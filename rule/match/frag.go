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

// Frag is -m frag: the fragment header of an IPv6 packet. It implies IPv6. The
// zero value matches every packet that has one. Where connections are tracked the
// kernel reassembles packets first and there are none.
//
//	[!] --fragid id[:id]  [!] --fraglen length  --fragres
//	--fragfirst  --fragmore | --fraglast
//
// It is the kernel's own ip6t_frag, which ip6 tables have and inet tables have
// not. The kernel takes --fraglen and does not look at it. ip6tables-save loses
// "! --fragid 0:4294967295", which matches nothing; ours prints it. A range that
// runs backward, which could match nothing either, is refused. It mirrors
// net/ipv6/netfilter/ip6t_frag.c.
type Frag struct {
	ID       Opt[Numbers] // --fragid: the identification
	Len      Opt[uint32]  // --fraglen, which says nothing
	Reserved bool         // --fragres: the reserved fields are 0
	First    bool         // --fragfirst: the offset is 0
	More     bool         // --fragmore: more follow
	Last     bool         // --fraglast: none follow
}

// Name is "frag".
func (Frag) Name() string { return frag.Name }

func (Frag) ext() option.Extension { return frag }

var frag = &option.Spec[Frag]{
	Name:     "frag",
	Families: nf.IPv6,
	Rows: []option.Row[Frag]{
		opt("--fragid", func(m *Frag) *Opt[Numbers] { return &m.ID }, numbers),
		opt("--fraglen", func(m *Frag) *Opt[uint32] { return &m.Len }, option.Number[uint32](0, 1<<32-1)),
		option.Flag("--fragres", func(m *Frag) *bool { return &m.Reserved }),
		option.Flag("--fragfirst", func(m *Frag) *bool { return &m.First }),
		option.Flag("--fragmore", func(m *Frag) *bool { return &m.More }),
		option.Flag("--fraglast", func(m *Frag) *bool { return &m.Last }),
	},
	Check: func(m *Frag, _ option.Context) error {
		if m.More && m.Last {
			return errors.New("--fragmore and --fraglast cannot be used together")
		}
		return checkNumbers(&m.ID)
	},
	List: listFrag,
	XT:   option.XTStruct(option.XT[Frag]{}, 0, Frag.blob, readFragBlob),
}

// Compile leaves it to ip6t_frag.
func (m Frag) Compile(c *program.Code) error { return frag.Kernel(c, m) }

func (m Frag) blob(program.Env) (b xtables.Frag) {
	b.ID, b.Invert = numbersBlob(m.ID, xtables.FragID)
	b.Len = m.Len.v
	b.Invert |= bitIf[uint8](m.Len.not, xtables.FragLen)
	b.What = bitIf[uint8](m.ID.ok, xtables.FragID) | bitIf[uint8](m.Len.ok, xtables.FragLen) | bitIf[uint8](m.Reserved, xtables.FragReserved) |
		bitIf[uint8](m.First, xtables.FragFirst) | bitIf[uint8](m.More, xtables.FragMore) | bitIf[uint8](m.Last, xtables.FragLast)
	return b
}

func readFragBlob(b xtables.Frag, env program.Env) (m Frag, ok bool) {
	is := func(bit uint8) bool { return b.What&bit != 0 }
	m = Frag{
		Reserved: is(xtables.FragReserved), First: is(xtables.FragFirst), More: is(xtables.FragMore), Last: is(xtables.FragLast),
	}
	if is(xtables.FragID) {
		m.ID = readNumbersBlob(b.ID, b.Invert&xtables.FragID != 0)
	}
	if is(xtables.FragLen) {
		m.Len = isOrNot(b.Invert&xtables.FragLen != 0, b.Len)
	}
	return m, m.blob(env) == b
}

// listFrag leaves the place of the identification empty where there is none, as
// ip6tables does.
func listFrag(m Frag, _ *option.Lister) string {
	s := "frag " + listNumbers("id", m.ID)
	if n, not, ok := m.Len.Get(); ok {
		s += fmt.Sprintf(" length:%s%d", bang(not), n)
	}
	for _, f := range [...]struct {
		on   bool
		word string
	}{{m.Reserved, " reserved"}, {m.First, " first"}, {m.More, " more"}, {m.Last, " last"}} {
		if f.on {
			s += f.word
		}
	}
	return strings.TrimSpace(s)
}
