package match

import (
	"errors"
	"fmt"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// CPU is -m cpu: the processor that works on the packet, from 0.
//
//	[!] --cpu number
//
// It is native: meta cpu. It mirrors net/netfilter/xt_cpu.c.
type CPU struct {
	CPU Opt[uint32] // --cpu; absent is an error
}

// Name is "cpu".
func (CPU) Name() string { return cpu.Name }

func (CPU) ext() option.Extension { return cpu }

var cpu = &option.Spec[CPU]{
	Name: "cpu",
	Rows: []option.Row[CPU]{
		opt("--cpu", func(m *CPU) *Opt[uint32] { return &m.CPU }, option.Number[uint32](0, 1<<32-1)),
	},
	Check: func(m *CPU, _ option.Context) error {
		if !m.CPU.Given() {
			return errors.New(`option "--cpu" must be specified`)
		}
		return nil
	},
	List: func(m CPU, _ *option.Lister) string {
		n, not, _ := m.CPU.Get()
		return "cpu " + blank(not) + fmt.Sprint(n)
	},
	Read: func(r *program.Reader) (m CPU, ok bool) {
		t, ok := r.Test(0)
		n, _ := t.A.Uint()
		m.CPU = isOrNot(t.Not(), uint32(n))
		if !ok || t != m.test() {
			return m, false
		}
		r.Take(1)
		return m, true
	},
	XT: option.XTStruct(option.XT[CPU]{Inet: true}, 0,
		func(m CPU, _ program.Env) xtables.CPU {
			n, not, _ := m.CPU.Get()
			return xtables.CPU{CPU: n, Invert: bitIf[uint32](not, 1)}
		},
		func(b xtables.CPU, _ program.Env) (CPU, bool) {
			return CPU{isOrNot(b.Invert == 1, b.CPU)}, b.Invert <= 1
		}),
}

func (m CPU) test() program.Test {
	n, not, _ := m.CPU.Get()
	return program.IsValue(program.Meta{Key: program.MetaCPU}, not, program.Host32(n))
}

// Compile compares the number.
func (m CPU) Compile(c *program.Code) error {
	c.Test(m.test())
	return nil
}
