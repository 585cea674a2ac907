package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/opaque"
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// XT is a kernel xt match that this release has no type for, as its struct's
// bytes. As text it is "-m xt --ext name --revision n --info hex", which the
// real iptables refuses.
type XT struct {
	Ext      string // the extension's name; empty is an error
	Revision uint8
	Info     string // the bytes, in the kernel's layout and byte order
}

// Name is "xt".
func (XT) Name() string { return xt.Name }

func (XT) ext() option.Extension { return xt }

var xt = opaque.XT("xt", func(r *program.Reader) (XT, bool) {
	e, ok := r.Item(0).(program.XTMatch)
	if !ok || e.Rev > 255 {
		return XT{}, false
	}
	r.Take(1)
	return XT{e.Name, uint8(e.Rev), e.Info}, true
})

// Compile adds the match as it is, in a table for one family: the kernel has few
// of them for inet, and which is not to be known here.
func (x XT) Compile(c *program.Code) error {
	if c.Env.Family == program.Inet {
		return program.NotInInet(x.Ext)
	}
	c.Add(program.XTMatch{Name: x.Ext, Rev: uint32(x.Revision), Info: x.Info})
	return nil
}
