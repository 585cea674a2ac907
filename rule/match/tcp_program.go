package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Compile compares natively, or with xt_tcp where an option is looked for.
func (m TCP) Compile(c *program.Code) error {
	switch {
	case m.Option.Given(), c.Env.Plain && !m.sharedNative():
		return tcp.Kernel(c, m)
	case c.Env.Plain:
		if f, not, ok := m.Flags.Get(); ok {
			c.Test(program.IsMasked(tcpFlagsField, not, program.Bytes(f.mask()), program.Bytes(f.set())))
		}
		testSharedPorts(c, m.Sport, m.Dport)
		return nil
	}
	c.Test(whole(wholeTCP))
	testPortPair(c, m.Sport, m.Dport)
	if f, not, ok := m.Flags.Get(); ok {
		c.Test(flagsTest(f, not))
	}
	return nil
}

// sharedNative says whether iptables-nft spells the match natively, and rightly:
// a match that says nothing, or that has an option, it leaves to xt_tcp; flags of
// none it loses.
func (m TCP) sharedNative() bool {
	f, _, ok := m.Flags.Get()
	if ok && f.mask() == 0 {
		return false
	}
	return (ok || m.Sport.Given() || m.Dport.Given()) && sharedPortsExact(m.Sport, m.Dport)
}

var (
	tcpFlagsField = program.Payload{Base: program.Transport, Offset: 13, Len: 1}
	tcpFlagsWide  = program.Payload{Base: program.Transport, Offset: 12, Len: 2}
)

// flagsTest compares the flags. Where the mask does not hold what is wanted, or
// nothing, nft prints what it cannot read back; with the byte before, none of
// whose bits count, it prints a number.
func flagsTest(f TCPFlags, not bool) program.Test {
	if f.set()&^f.mask() != 0 || f.mask() == 0 {
		return program.IsMasked(tcpFlagsWide, not, program.Bytes(0, f.mask()), program.Bytes(0, f.set()))
	}
	return program.IsMasked(tcpFlagsField, not, program.Bytes(f.mask()), program.Bytes(f.set()))
}

// readFlags takes the comparison of the flags, if that is what comes next.
func readFlags(r *program.Reader) (o Opt[TCPFlags]) {
	t, ok := r.Test(0)
	mask, set := t.Mask.Data, t.A.Data
	if t.Load == tcpFlagsWide && len(mask) == 2 && len(set) == 2 {
		mask, set = mask[1:], set[1:]
	} else if t.Load != tcpFlagsField {
		return o
	}
	if !ok || len(mask) != 1 || len(set) != 1 || t.Op > program.IsNe {
		return o
	}
	r.Take(1)
	return isOrNot(t.Not(), Flags(mask[0], set[0]))
}

// blob is the match as xt_tcp takes it.
func (m TCP) blob(program.Env) xtables.TCP {
	b := xtables.TCP{Sport: blobPorts(m.Sport), Dport: blobPorts(m.Dport)}
	invert := func(not bool, bit uint8) {
		if not {
			b.Invert |= bit
		}
	}
	invert(m.Sport.not, xtables.TCPInvertSport)
	invert(m.Dport.not, xtables.TCPInvertDport)
	if f, not, ok := m.Flags.Get(); ok {
		b.FlagsMask, b.FlagsSet = f.mask(), f.set()
		invert(not, xtables.TCPInvertFlags)
	}
	if o, not, ok := m.Option.Get(); ok {
		b.Option = o
		invert(not, xtables.TCPInvertOption)
	}
	return b
}

// readTCP reads the guard and what follows of sport, dport and flags, in the
// order in which Compile writes them.
func readTCP(r *program.Reader) (m TCP, ok bool) {
	if r.Env.Proto != uint8(nf.TCP) || r.Env.ProtoNot {
		return m, false
	}
	if r.Env.Plain {
		m.Flags = readFlags(r)
		m.Sport, m.Dport = readSharedPorts(r)
		return m, m != TCP{}
	}
	if !readWhole(r, wholeTCP) {
		return m, false
	}
	m.Sport, m.Dport = readPortPair(r)
	m.Flags = readFlags(r)
	return m, true
}

// readTCPBlob is blob's inverse.
func readTCPBlob(b xtables.TCP, env program.Env) (m TCP, ok bool) {
	not := func(bit uint8) bool { return b.Invert&bit != 0 }
	m.Sport = readBlobPorts(b.Sport, not(xtables.TCPInvertSport))
	m.Dport = readBlobPorts(b.Dport, not(xtables.TCPInvertDport))
	if b.FlagsMask != 0 || b.FlagsSet != 0 || not(xtables.TCPInvertFlags) {
		m.Flags = isOrNot(not(xtables.TCPInvertFlags), Flags(b.FlagsMask, b.FlagsSet))
	}
	if b.Option != 0 {
		m.Option = isOrNot(not(xtables.TCPInvertOption), b.Option)
	}
	return m, m.blob(env) == b
}
