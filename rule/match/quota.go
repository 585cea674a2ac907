package match

import (
	"errors"
	"fmt"
	"math"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// Quota is -m quota: the first so many bytes that reach the rule. A packet that
// does not fit any more ends it for good. All packets count, and the count begins
// anew when the rule is made anew.
//
//	[!] --quota bytes
//
// It is native: quota, and quota over; more than 2⁶³-1 bytes, which that has not,
// are the kernel's own xt match. It mirrors net/netfilter/xt_quota.c.
type Quota struct {
	Bytes Opt[uint64] // --quota; absent is an error
}

// Name is "quota".
func (Quota) Name() string { return quota.Name }

func (Quota) ext() option.Extension { return quota }

var quota = &option.Spec[Quota]{
	Name: "quota",
	Rows: []option.Row[Quota]{
		opt("--quota", func(m *Quota) *Opt[uint64] { return &m.Bytes }, option.Number[uint64](0, math.MaxUint64)),
	},
	Check: func(m *Quota, _ option.Context) error {
		if !m.Bytes.Given() {
			return errors.New(`option "--quota" must be specified`)
		}
		return nil
	},
	List: func(m Quota, _ *option.Lister) string { // without the !, as iptables has it
		n, _, _ := m.Bytes.Get()
		return fmt.Sprintf("quota: %d bytes", n)
	},
	Read: func(r *program.Reader) (m Quota, ok bool) {
		e, ok := r.Item(0).(program.Quota)
		if !ok || e.Bytes > math.MaxInt64 {
			return m, false
		}
		r.Take(1)
		return Quota{isOrNot(e.Over, e.Bytes)}, true
	},
	XT: option.XTStruct(option.XT[Quota]{Inet: true}, 0,
		func(m Quota, _ program.Env) xtables.Quota {
			n, not, _ := m.Bytes.Get()
			return xtables.Quota{Flags: bitIf[uint32](not, xtables.QuotaInvert), Quota: n}
		},
		func(b xtables.Quota, _ program.Env) (Quota, bool) {
			return Quota{isOrNot(b.Flags == xtables.QuotaInvert, b.Quota)}, b.Flags <= xtables.QuotaInvert
		}),
}

// Compile counts natively where the number fits.
func (m Quota) Compile(c *program.Code) error {
	n, not, _ := m.Bytes.Get()
	if n > math.MaxInt64 {
		return quota.Kernel(c, m)
	}
	c.Add(program.Quota{Bytes: n, Over: not})
	return nil
}
