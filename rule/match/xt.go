package match

import (
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/opaque"
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
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
	if !ok || e.Rev > 255 || e.IPSets != "" { // a number for a name is not what it says
		return XT{}, false
	}
	r.Take(1)
	return XT{e.Name, uint8(e.Rev), e.Info}, true
})

// Compile adds the match as it is; in an inet table, where the kernel has few of
// them, only one that it is known to have there.
func (x XT) Compile(c *program.Code) error {
	if xtables.IPSetFields(x.Ext, uint32(x.Revision), false) > 0 {
		return &program.InexactError{
			Extension: x.Ext, Why: "its bytes name a kernel ipset by a number, which is another one tomorrow",
			Hint: "use match.Set, -m set in text",
		}
	}
	if c.Env.Family == program.Inet && !slices.Contains(inInet[:], x.Ext) {
		return program.NotInInet(x.Ext)
	}
	c.Add(program.XTMatch{Name: x.Ext, Rev: uint32(x.Revision), Info: x.Info})
	return nil
}

// inInet are the matches that the kernel registers for every family
// (NFPROTO_UNSPEC), so that inet tables have them too; a test asks the kernel for
// each. One that is not here is programmed into an ip and an ip6 table.
var inInet = [...]string{
	"bpf", "cgroup", "comment", "connbytes", "connlabel", "connmark", "conntrack", "cpu", "devgroup", "helper",
	"limit", "mark", "pkttype", "quota", "state", "statistic", "string", "time", "u32",
}
