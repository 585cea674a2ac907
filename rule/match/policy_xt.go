package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

func (m Policy) blob(program.Env) (b xtables.Policy) {
	b.Flags = xtables.PolicyIn
	if m.Dir == PolicyOut {
		b.Flags = xtables.PolicyOut
	}
	if m.Strict {
		b.Flags |= xtables.PolicyStrict
	}
	if m.None {
		b.Flags |= xtables.PolicyNone
		return b
	}
	b.Len = uint16(max(m.count(), 1))
	for i := range b.Len {
		b.Elements[i] = m.Elements[i].blob()
	}
	return b
}

func (e PolicyElement) blob() (b xtables.PolicyElement) {
	set := func(bit uint8, not, ok bool) {
		if ok {
			b.Match |= bit
		}
		if ok && not {
			b.Invert |= bit
		}
	}
	set(xtables.PolicyReqID, e.ReqID.not, e.ReqID.ok)
	set(xtables.PolicySPI, e.SPI.not, e.SPI.ok)
	set(xtables.PolicyProto, e.Proto.not, e.Proto.ok)
	set(xtables.PolicyMode, e.Mode.not, e.Mode.ok)
	set(xtables.PolicyDest, e.Dest.not, e.Dest.ok)
	set(xtables.PolicySource, e.Source.not, e.Source.ok)
	b.ReqID, b.SPI, b.Proto, b.Mode = e.ReqID.v, e.SPI.v, uint8(e.Proto.v), uint8(e.Mode.v)
	if e.Dest.ok {
		b.Dest, b.DestMask = hostBytes(e.Dest.v)
	}
	if e.Source.ok {
		b.Source, b.SourceMask = hostBytes(e.Source.v)
	}
	return b
}

func readPolicyBlob(b xtables.Policy, env program.Env) (m Policy, ok bool) {
	m.Dir = PolicyIn
	if b.Flags&xtables.PolicyOut != 0 {
		m.Dir = PolicyOut
	}
	m.None, m.Strict = b.Flags&xtables.PolicyNone != 0, b.Flags&xtables.PolicyStrict != 0
	for i := range min(int(b.Len), len(b.Elements)) {
		m.Elements[i] = readPolicyElement(b.Elements[i], env.Family == program.IP6)
	}
	return m, m.blob(env) == b
}

func readPolicyElement(b xtables.PolicyElement, v6 bool) (e PolicyElement) {
	has := func(bit uint8) (not, ok bool) { return b.Invert&bit != 0, b.Match&bit != 0 }
	if not, ok := has(xtables.PolicyReqID); ok {
		e.ReqID = isOrNot(not, b.ReqID)
	}
	if not, ok := has(xtables.PolicySPI); ok {
		e.SPI = isOrNot(not, b.SPI)
	}
	if not, ok := has(xtables.PolicyProto); ok {
		e.Proto = isOrNot(not, nf.Protocol(b.Proto))
	}
	if not, ok := has(xtables.PolicyMode); ok {
		e.Mode = isOrNot(not, PolicyMode(b.Mode))
	}
	if not, ok := has(xtables.PolicyDest); ok {
		e.Dest = isOrNot(not, readHost(b.Dest, b.DestMask, v6))
	}
	if not, ok := has(xtables.PolicySource); ok {
		e.Source = isOrNot(not, readHost(b.Source, b.SourceMask, v6))
	}
	return e
}
