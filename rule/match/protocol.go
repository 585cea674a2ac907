package match

import (
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Protocol is -p.
//
// It is native: meta l4proto. For IPv6 the kernel's nf_tables looks past
// extension headers up to an authentication header and stops there, where
// ip6tables looks on: behind AH, "-p tcp" matches there and not here.
type Protocol struct{ Proto Opt[nf.Protocol] }

// Proto matches the protocol.
func Proto(p nf.Protocol) Protocol { return Protocol{Is(p)} }

// NotProto is "! -p p".
func NotProto(p nf.Protocol) Protocol { return Protocol{Not(p)} }

// Name is "": -p is no extension.
func (Protocol) Name() string { return "" }

func (Protocol) ext() option.Extension { return nil }

// Slot is -p's place.
func (Protocol) Slot() int { return slotProtocol }

// Family is Both: a protocol may be asked for in either.
func (Protocol) Family() nf.Family { return nf.Both }

// Err is not nil for a protocol that was not given.
func (p Protocol) Err() error {
	if p.Proto.v == 0 {
		return errors.New("-p: protocol not given")
	}
	return nil
}

// Text is "-p tcp".
func (p Protocol) Text() string {
	if p.Proto.not {
		return "! -p " + p.Proto.v.String()
	}
	return "-p " + p.Proto.v.String()
}

// Compile compares the protocol's number.
func (p Protocol) Compile(c *program.Code) error {
	c.Test(program.IsValue(program.Meta{Key: program.MetaL4Proto}, p.Proto.not, program.Host8(uint8(p.Proto.v))))
	return nil
}

func readProtocol(t program.Test, _ program.Env) (Header, bool) {
	if t.Load != (program.Meta{Key: program.MetaL4Proto}) || t.Mask != (program.Value{}) ||
		t.Op != program.IsEq && t.Op != program.IsNe || len(t.A.Data) != 1 || t.A.Data[0] == 0 {
		return nil, false
	}
	return Protocol{isOrNot(t.Not(), nf.Protocol(t.A.Data[0]))}, true
}
