package match

import (
	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// TTL is -m ttl: the time to live of an IPv4 packet. It implies IPv4. Exactly
// one of the three must be given.
//
//	[!] --ttl-eq value | --ttl-lt value | --ttl-gt value
//
// It is native: one byte of the IPv4 header, which every packet has; in the tables
// that are shared with iptables-nft it is xt_hl's match ttl. It mirrors
// net/netfilter/xt_hl.c.
type TTL struct {
	Eq Opt[uint8] // --ttl-eq
	Lt Opt[uint8] // --ttl-lt, not invertible
	Gt Opt[uint8] // --ttl-gt, not invertible
}

// Name is "ttl".
func (TTL) Name() string { return ttl.Name }

func (TTL) ext() option.Extension { return ttl }

var ttl = &option.Spec[TTL]{
	Name:     "ttl",
	Families: nf.IPv4,
	Rows: []option.Row[TTL]{
		opt("--ttl-eq", func(m *TTL) *Opt[uint8] { return &m.Eq }, hopCount, "--ttl"),
		plain("--ttl-lt", func(m *TTL) *Opt[uint8] { return &m.Lt }, hopCount),
		plain("--ttl-gt", func(m *TTL) *Opt[uint8] { return &m.Gt }, hopCount),
	},
	Check: func(m *TTL, _ option.Context) error { return hops(*m).check("--ttl") },
	List:  func(m TTL, _ *option.Lister) string { return "TTL match TTL " + hops(m).list() },
	Read: func(r *program.Reader) (TTL, bool) {
		h, ok := readHops(r, ttlField)
		return TTL(h), ok && !r.Env.V6()
	},
	XT: option.XTStruct(option.XT[TTL]{}, 0,
		func(m TTL, _ program.Env) xtables.HL { return hops(m).blob() },
		func(b xtables.HL, _ program.Env) (TTL, bool) { h, ok := readHopsBlob(b); return TTL(h), ok }),
}

var ttlField = program.Payload{Base: program.Network, Offset: 8, Len: 1}

// Compile compares the byte.
func (m TTL) Compile(c *program.Code) error {
	c.Test(hops(m).test(ttlField))
	return nil
}
