package target

import "github.com/gatehouse-fw/gatehouse/internal/program"

// headerBits are bits of one or two bytes of the network header that a target
// changes: word &^ mask ^ value. IPv4's are two bytes at an even offset, because
// only so does nf_tables mend the checksum as the xt targets do: a single byte at an
// odd offset leaves a wrong one.
type headerBits struct {
	offset, n   uint32
	mask, value uint16
}

// The checksum of the IPv4 header: NFT_PAYLOAD_CSUM_INET and its offset.
const (
	csumInet   = 1
	csumOffset = 10
)

// store is the expression that writes the bits back.
func (b headerBits) store(env program.Env) program.PayloadSet {
	set := program.PayloadSet{Base: program.Network, Offset: b.offset, Len: b.n, Reg: 1}
	if env.V4() {
		set.CsumType, set.CsumOffset = csumInet, csumOffset
	}
	return set
}

// word is a value of as many bytes as are written.
func (b headerBits) word(v uint16) program.Value {
	if b.n == 1 {
		return program.Host8(uint8(v))
	}
	return program.Net16(v)
}

// compile adds load, bitwise and store for a rule that sees one family. A bitwise
// that changes nothing is left out, as nft does.
func (b headerBits) compile(a program.Action) {
	a.Add(program.Payload{Base: program.Network, Offset: b.offset, Len: b.n, Reg: 1})
	if b.mask != 0 || b.value != 0 {
		a.Add(program.Bitwise{Src: 1, Dst: 1, Len: b.n, Mask: b.word(^b.mask), Xor: b.word(b.value)})
	}
	a.Add(b.store(a.Env))
}

// readHeaderBits takes what compile wrote off a program.
func readHeaderBits(r *program.Reader) (b headerBits, ok bool) {
	load, ok := r.Item(0).(program.Payload)
	if !ok || r.Env.Both() {
		return b, false
	}
	b.offset, b.n = load.Offset, load.Len
	at := 1
	if w, ok := r.Item(1).(program.Bitwise); ok {
		keep, okKeep := w.Mask.Uint()
		flip, okFlip := w.Xor.Uint()
		if !okKeep || !okFlip || len(w.Mask.Data) > 2 || len(w.Xor.Data) > 2 {
			return b, false
		}
		b.mask, b.value = ^uint16(keep), uint16(flip)
		if b.n == 1 {
			b.mask &= 0xff
		}
		at = 2
	}
	if r.Item(at) != program.Expr(b.store(r.Env)) {
		return b, false
	}
	r.Take(at + 1)
	return b, true
}

// tosBits are bits of the type of service, IPv4's second byte, or of the traffic
// class, the 8 bits behind IPv6's version. nft writes IPv6's bits of ECN alone as
// one byte.
func tosBits(env program.Env, mask, value uint8) headerBits {
	switch {
	case env.V4():
		return headerBits{0, 2, uint16(mask), uint16(value)}
	case mask == ectBits && value&^ectBits == 0:
		return headerBits{1, 1, uint16(mask) << 4, uint16(value) << 4}
	}
	return headerBits{0, 2, uint16(mask) << 4, uint16(value) << 4}
}

// readTOSBits takes a change of the type of service off a program.
func readTOSBits(r *program.Reader) (mask, value uint8, ok bool) {
	b, ok := readHeaderBits(r)
	if !ok {
		return 0, 0, false
	}
	shift := 0
	if !r.Env.V4() {
		shift = 4
	}
	mask, value = uint8(b.mask>>shift), uint8(b.value>>shift)
	return mask, value, b == tosBits(r.Env, mask, value)
}
