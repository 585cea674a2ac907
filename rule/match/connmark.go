package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Connmark is -m connmark: the mark of the packet's connection. A packet that
// belongs to none matches neither a mark nor its inversion.
//
//	[!] --mark value[/mask]
//
// It is native: ct mark, under the mask where that is not all bits; a packet
// without a connection has none to load, and breaks off. iptables-nft writes
// xt_connmark, and so do we in the tables that it shares. It mirrors
// net/netfilter/xt_connmark.c.
type Connmark struct {
	Mark Opt[nf.MarkBits] // --mark; absent is an error
}

// Name is "connmark".
func (Connmark) Name() string { return connmark.Name }

func (Connmark) ext() option.Extension { return connmark }

var connmark = &option.Spec[Connmark]{
	Name: "connmark",
	Rows: []option.Row[Connmark]{
		opt("--mark", func(m *Connmark) *Opt[nf.MarkBits] { return &m.Mark }, option.MarkBits),
	},
	Check: func(m *Connmark, _ option.Context) error { return mandatory("--mark", m.Mark) },
	List: func(m Connmark, _ *option.Lister) string {
		if _, not, _ := m.Mark.Get(); not {
			return "connmark match " + listMark(m.Mark)
		}
		return "connmark match  " + listMark(m.Mark) // two blanks, as iptables prints them
	},
	Read: func(r *program.Reader) (Connmark, bool) {
		o, ok := readMark(r, program.CT{Key: program.CTMark})
		return Connmark{o}, ok
	},
	XT: option.XTStruct(option.XT[Connmark]{Inet: true}, 1,
		func(m Connmark, _ program.Env) xtables.Mark { return markBlob(m.Mark) },
		func(b xtables.Mark, _ program.Env) (Connmark, bool) { return Connmark{readMarkBlob(b)}, true }),
}

// Compile compares the mark.
func (m Connmark) Compile(c *program.Code) error {
	c.Test(markTest(program.CT{Key: program.CTMark}, m.Mark))
	return nil
}
