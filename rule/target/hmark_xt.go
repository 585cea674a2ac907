package target

import (
	"encoding/binary"
	"slices"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
)

// flags says which fields are given.
func (t HMARK) flags() (bits uint32) {
	for _, f := range [...]struct {
		bit   uint32
		given bool
	}{
		{xtables.HMarkSource, t.Source.ok}, {xtables.HMarkDest, t.Dest.ok}, {xtables.HMarkSPI, t.SPI.ok},
		{xtables.HMarkSPIMask, t.SPIMask.ok}, {xtables.HMarkSport, t.Sport.ok}, {xtables.HMarkDport, t.Dport.ok},
		{xtables.HMarkSportMask, t.SportMask.ok}, {xtables.HMarkDportMask, t.DportMask.ok},
		{xtables.HMarkProtoMask, t.ProtoMask.ok}, {xtables.HMarkRnd, t.Rnd.ok}, {xtables.HMarkModulus, t.Modulus != 0},
		{xtables.HMarkOffset, t.Offset.ok}, {xtables.HMarkCT, t.CT},
	} {
		if f.given {
			bits |= f.bit
		}
	}
	return bits
}

func (t HMARK) blob(program.Env) xtables.HMark {
	b := xtables.HMark{
		SourceMask: bitMask(t.Source.v, t.wide&xtables.HMarkSource != 0), DestMask: bitMask(t.Dest.v, t.wide&xtables.HMarkDest != 0),
		Flags: t.flags(), ProtoMask: t.ProtoMask.v, Rnd: t.Rnd.v, Modulus: t.Modulus, Offset: t.Offset.v,
	}
	b.PortMask = portsOrSPI(t.SportMask, t.DportMask, t.SPIMask)
	b.PortSet = portsOrSPI(t.Sport, t.Dport, t.SPI)
	return b
}

func portsOrSPI(sport, dport Opt[uint16], spi Opt[uint32]) (b [4]byte) {
	if spi.ok {
		binary.BigEndian.PutUint32(b[:], spi.v)
		return b
	}
	binary.BigEndian.PutUint16(b[:], sport.v)
	binary.BigEndian.PutUint16(b[2:], dport.v)
	return b
}

// bitMask is a mask of so many bits; all 128 for one that is wide.
func bitMask(bits uint8, wide bool) (m [16]byte) {
	if wide {
		bits = 128
	}
	for i := range min(int(bits), 128) {
		m[i/8] |= 0x80 >> (i % 8)
	}
	return m
}

func readHMARKBlob(b xtables.HMark, env program.Env) (t HMARK, ok bool) {
	has := func(bit uint32) bool { return b.Flags&bit != 0 }
	read16 := func(bit uint32, from []byte) (o Opt[uint16]) {
		if has(bit) {
			o = Is(binary.BigEndian.Uint16(from))
		}
		return o
	}
	read32 := func(bit uint32, v uint32) (o Opt[uint32]) {
		if has(bit) {
			o = Is(v)
		}
		return o
	}
	t.Source = t.readBits(xtables.HMarkSource, b.SourceMask, b.Flags, env)
	t.Dest = t.readBits(xtables.HMarkDest, b.DestMask, b.Flags, env)
	t.SportMask, t.DportMask = read16(xtables.HMarkSportMask, b.PortMask[:2]), read16(xtables.HMarkDportMask, b.PortMask[2:])
	t.Sport, t.Dport = read16(xtables.HMarkSport, b.PortSet[:2]), read16(xtables.HMarkDport, b.PortSet[2:])
	t.SPIMask = read32(xtables.HMarkSPIMask, binary.BigEndian.Uint32(b.PortMask[:]))
	t.SPI = read32(xtables.HMarkSPI, binary.BigEndian.Uint32(b.PortSet[:]))
	t.Rnd, t.Offset = read32(xtables.HMarkRnd, b.Rnd), read32(xtables.HMarkOffset, b.Offset)
	if has(xtables.HMarkProtoMask) {
		t.ProtoMask = Is(b.ProtoMask)
	}
	t.CT, t.Modulus = has(xtables.HMarkCT), b.Modulus
	return t, t.blob(env) == b
}

// readBits reads a mask's bits, and notes an IPv4 mask of 16 bytes.
func (t *HMARK) readBits(bit uint8, m [16]byte, flags uint32, env program.Env) (o Opt[uint8]) {
	if flags&uint32(bit) == 0 {
		return o
	}
	n := uint8(0)
	for n < 128 && m[n/8]&(0x80>>(n%8)) != 0 {
		n++
	}
	if env.Family == program.IP && n == 128 && !slices.Contains(m[:], 0) {
		t.wide |= bit
		n = 32
	}
	return Is(n)
}
