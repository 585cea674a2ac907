package target

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/opaque"
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// XT is a kernel xt target that this release has no type for, as its struct's
// bytes. As text it is "-j XT --ext name --revision n --info hex", which the
// real iptables refuses.
type XT struct {
	Ext      string // the extension's name; empty is an error
	Revision uint8
	Info     string // the bytes, in the kernel's layout and byte order
}

// Name is "XT".
func (XT) Name() string { return xt.Name }

func (XT) ext() option.Extension { return xt }

var xt = opaque.XT("XT", func(r *program.Reader) (XT, bool) {
	e, ok := r.Item(0).(program.XTTarget)
	if !ok || e.Rev > 255 || e.IPSets != "" { // a number for a name is not what it says
		return XT{}, false
	}
	r.Take(1)
	return XT{e.Name, uint8(e.Rev), e.Info}, true
})

// Compile adds the target as it is; in an inet table, where the kernel has few of
// them, only one that it is known to have there.
func (x XT) Compile(a program.Action) error {
	if xtables.IPSetFields(x.Ext, uint32(x.Revision), true) > 0 {
		return &program.InexactError{
			Extension: x.Ext, Why: "its bytes name a kernel ipset by a number, which is another one tomorrow",
			Hint: "use target.SET, -j SET in text",
		}
	}
	if a.Env.Family == program.Inet && !slices.Contains(inInet[:], x.Ext) {
		return program.NotInInet(x.Ext)
	}
	a.Add(program.XTTarget{Name: x.Ext, Rev: uint32(x.Revision), Info: x.Info})
	return nil
}

// inInet are the targets that the kernel registers for every family
// (NFPROTO_UNSPEC), so that inet tables have them too; a test asks the kernel for
// each. One that is not here is programmed into an ip and an ip6 table.
var inInet = [...]string{"AUDIT", "NFQUEUE"}
