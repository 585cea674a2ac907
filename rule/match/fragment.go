package match

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// LaterFragments is -f: IPv4 fragments after the first, which carry no ports.
// Where connections are tracked the kernel reassembles packets first and there
// are none.
//
// It is native: the fragment offset, 13 bits of the IPv4 header, is not 0.
type LaterFragments struct{ Fragment Opt[bool] }

// Later is "-f"; Whole is "! -f": unfragmented packets and first fragments.
func Later() LaterFragments { return LaterFragments{Is(true)} }

// Whole is "! -f".
func Whole() LaterFragments { return LaterFragments{Not(true)} }

// Name is "": -f is no extension.
func (LaterFragments) Name() string { return "" }

func (LaterFragments) ext() option.Extension { return nil }

// Slot is -f's place.
func (LaterFragments) Slot() int { return slotFragment }

// Family is IPv4: ip6tables has no -f.
func (LaterFragments) Family() nf.Family { return nf.IPv4 }

// Err is not nil where the option is absent, and for Is(false) and Not(false),
// which say nothing that -f could.
func (f LaterFragments) Err() error {
	if !f.Fragment.v {
		return errors.New("-f: not given; Later is \"-f\", Whole is \"! -f\"")
	}
	return nil
}

// Text is "-f" or "! -f".
func (f LaterFragments) Text() string {
	if f.Fragment.not {
		return "! -f"
	}
	return "-f"
}

// fragOffset is the offset's 13 bits, without the flags.
var fragField, fragOffset = program.Payload{Base: program.Network, Offset: 6, Len: 2}, program.Net16(0x1fff)

// Compile compares the offset with 0.
func (f LaterFragments) Compile(c *program.Code) error {
	c.Test(program.IsMasked(fragField, !f.Fragment.not, fragOffset, program.Net16(0)))
	return nil
}

func readFragment(t program.Test, env program.Env) (Header, bool) {
	if t.Load != fragField || t.Mask != fragOffset || !t.A.Zero() || env.V6() ||
		t.Op != program.IsEq && t.Op != program.IsNe {
		return nil, false
	}
	return LaterFragments{isOrNot(!t.Not(), true)}, true
}
