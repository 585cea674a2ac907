package align

import (
	"hash/maphash"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// Hasher hashes rules. What one Hasher gives cannot be compared with what
// another gives; it must be made by NewHasher.
type Hasher struct{ seed maphash.Seed }

// NewHasher makes one.
func NewHasher() Hasher { return Hasher{maphash.MakeSeed()} }

// Rule hashes a rule: two that are the Same have one hash.
func (h Hasher) Rule(r *program.Rule) uint64 {
	return mix(h.Exprs(r), maphash.String(h.seed, r.UserData))
}

// Exprs hashes a rule's expressions, its userdata left aside.
func (h Hasher) Exprs(r *program.Rule) uint64 {
	sum := uint64(len(r.Exprs))
	for _, e := range r.Exprs {
		sum = mix(sum, h.expr(e))
	}
	return sum
}

// expr leaves out what Same may leave out: counts, and a range's last registers.
func (h Hasher) expr(e program.Expr) uint64 {
	switch e := e.(type) {
	case nil:
		return 0
	case program.Counter:
		return 1
	case program.Quota:
		return e.Bytes
	case program.NAT:
		return maphash.Comparable(h.seed, [3]uint32{uint32(e.AddrMin), uint32(e.ProtoMin), e.Flags})
	case program.Masq:
		return uint64(e.ProtoMin)<<32 | uint64(e.Flags)
	case program.Redir:
		return uint64(e.ProtoMin)<<33 | uint64(e.Flags)
	}
	return maphash.Comparable(h.seed, e)
}

// mix adds a hash to those before it, so that their order counts.
func mix(sum, h uint64) uint64 {
	sum ^= h
	sum *= 0x9e3779b97f4a7c15 // 2^64 over the golden ratio: odd, its bits well spread
	return sum ^ sum>>29
}
