package target

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// HL is -j HL: it changes the hop limit of IPv6 packets; more than 255 and less
// than 0 are 255 and 0. It is valid in table mangle. Made by SetHL, IncHL or
// DecHL; the zero value is an error.
//
//	--hl-set value | --hl-inc value | --hl-dec value
//
// A set hop limit is native, a byte of the header. nf_tables cannot calculate: the
// others need the kernel's own xt target, which the kernel ties to the table name
// mangle: see program.InexactError. It mirrors net/netfilter/xt_HL.c.
type HL struct{ hops }

// SetHL is "--hl-set n".
func SetHL(n uint8) HL { return HL{hops{hopsSet, n}} }

// IncHL is "--hl-inc n"; 0 is an error.
func IncHL(n uint8) HL { return HL{hops{hopsInc, n}} }

// DecHL is "--hl-dec n"; 0 is an error.
func DecHL(n uint8) HL { return HL{hops{hopsDec, n}} }

// Name is "HL".
func (HL) Name() string { return hl.Name }

func (HL) ext() option.Extension { return hl }

var hl = &option.Spec[HL]{
	Name:     "HL",
	Families: nf.IPv6,
	Rows:     hopsRows("--hl-", func(t *HL) *hops { return &t.hops }),
	Check:    func(t *HL, _ option.Context) error { return t.check("--hl-") },
	Needs:    func(HL) option.Needs { return option.Needs{Tables: []string{"mangle"}} },
	List:     func(t HL, _ *option.Lister) string { return "HL " + t.words() },
	Read: func(r *program.Reader) (t HL, ok bool) {
		im, ok := r.Item(0).(program.Immediate)
		if !ok || len(im.Value.Data) != 1 || r.Item(1) != hopLimitStore {
			return t, false
		}
		r.Take(2)
		return SetHL(im.Value.Data[0]), true
	},
	XT: option.XTStruct(option.XT[HL]{Target: true, Tables: []string{"mangle"}}, 0,
		func(t HL, _ program.Env) xtables.TTLTarget { return t.blob() },
		func(b xtables.TTLTarget, _ program.Env) (HL, bool) {
			h, ok := readHops(b)
			return HL{h}, ok
		}),
}

// hopLimitStore writes the eighth byte; IPv6 has no checksum to mend.
var hopLimitStore program.Expr = program.PayloadSet{Base: program.Network, Offset: 7, Len: 1, Reg: 1}

// Compile writes the byte, or adds the xt target.
func (t HL) Compile(a program.Action) error {
	if t.mode != hopsSet {
		return hl.Kernel(a.Code, t)
	}
	a.Add(program.Immediate{Reg: 1, Value: program.Host8(t.n)}, hopLimitStore)
	return nil
}
