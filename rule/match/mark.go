package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Mark is -m mark: the mark that the kernel keeps beside a packet.
//
//	[!] --mark value[/mask]
//
// It is native: meta mark, under the mask where that is not all bits. It mirrors
// net/netfilter/xt_mark.c.
type Mark struct {
	Mark Opt[nf.MarkBits] // --mark; absent is an error
}

// Marked is "-m mark --mark m".
func Marked(m nf.MarkBits) Mark { return Mark{Is(m)} }

// Name is "mark".
func (Mark) Name() string { return mark.Name }

func (Mark) ext() option.Extension { return mark }

var mark = &option.Spec[Mark]{
	Name: "mark",
	Rows: []option.Row[Mark]{
		opt("--mark", func(m *Mark) *Opt[nf.MarkBits] { return &m.Mark }, option.MarkBits),
	},
	Check: func(m *Mark, _ option.Context) error { return mandatory("--mark", m.Mark) },
	List:  func(m Mark, _ *option.Lister) string { return "mark match " + listMark(m.Mark) },
	Read: func(r *program.Reader) (Mark, bool) {
		o, ok := readMark(r, program.Meta{Key: program.MetaMark})
		return Mark{o}, ok
	},
	XT: option.XTStruct(option.XT[Mark]{Inet: true}, 1,
		func(m Mark, _ program.Env) xtables.Mark { return markBlob(m.Mark) },
		func(b xtables.Mark, _ program.Env) (Mark, bool) { return Mark{readMarkBlob(b)}, true }),
	SharedNative: true,
}

// Compile compares the mark.
func (m Mark) Compile(c *program.Code) error {
	c.Test(markTest(program.Meta{Key: program.MetaMark}, m.Mark))
	return nil
}

// markTest compares 32 bits of a mark, or some of them.
func markTest(load program.Expr, o Opt[nf.MarkBits]) program.Test {
	m, not, _ := o.Get()
	if m.Mask() == 0xffffffff {
		return program.IsValue(load, not, program.Host32(m.Value()))
	}
	return program.IsMasked(load, not, program.Host32(m.Mask()), program.Host32(m.Value()))
}

// readMark takes what markTest made.
func readMark(r *program.Reader, load program.Expr) (o Opt[nf.MarkBits], ok bool) {
	t, ok := r.Test(0)
	if !ok || t.Load != load || t.Op > program.IsNe || len(t.A.Data) != 4 {
		return o, false
	}
	value, _ := t.A.Uint()
	mask := uint64(0xffffffff)
	if t.Mask != (program.Value{}) {
		if mask, ok = t.Mask.Uint(); !ok || len(t.Mask.Data) != 4 {
			return o, false
		}
	}
	r.Take(1)
	return isOrNot(t.Not(), nf.MarkMask(uint32(value), uint32(mask))), true
}

// markBlob is a mark as the xt matches mark and connmark hold it.
func markBlob(o Opt[nf.MarkBits]) (b xtables.Mark) {
	m, not, _ := o.Get()
	b.Mark, b.Mask = m.Value(), m.Mask()
	if not {
		b.Invert = 1
	}
	return b
}

// readMarkBlob is markBlob's inverse.
func readMarkBlob(b xtables.Mark) Opt[nf.MarkBits] {
	return isOrNot(b.Invert != 0, nf.MarkMask(b.Mark, b.Mask))
}

// listMark is "0x1", "! 0x1" or "0x1/0xff".
func listMark(o Opt[nf.MarkBits]) string {
	m, not, _ := o.Get()
	if not {
		return "! " + m.String()
	}
	return m.String()
}
