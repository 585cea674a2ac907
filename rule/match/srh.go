package match

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// SRH is -m srh: the segment routing header of an IPv6 packet (RFC 8754). It
// implies IPv6. The zero value matches every packet that has one.
//
//	[!] --srh-next-hdr number
//	[!] --srh-hdr-len-eq number    [!] --srh-hdr-len-gt …    [!] --srh-hdr-len-lt …
//	[!] --srh-segs-left-eq number  [!] --srh-segs-left-gt …  [!] --srh-segs-left-lt …
//	[!] --srh-last-entry-eq number [!] --srh-last-entry-gt … [!] --srh-last-entry-lt …
//	[!] --srh-tag number
//	[!] --srh-psid addr[/prefix]   [!] --srh-nsid …          [!] --srh-lsid …
//
// It is the kernel's own ip6t_srh, which ip6 tables have and inet tables have
// not. The kernel's struct has one number for each field, so that of "-eq 1 -lt 4"
// ip6tables makes "-eq 4 -lt 4": that is refused here, and so is a mask that is no
// prefix, which ip6tables saves as /128. It mirrors net/ipv6/netfilter/ip6t_srh.c.
type SRH struct {
	NextHeader Opt[uint8]        // --srh-next-hdr: the protocol behind it
	Len        SRHNumber         // --srh-hdr-len: 8 bytes each, less the first
	SegsLeft   SRHNumber         // --srh-segs-left
	LastEntry  SRHNumber         // --srh-last-entry
	Tag        Opt[uint16]       // --srh-tag
	Previous   Opt[netip.Prefix] // --srh-psid: the previous segment; bits behind the prefix do not count
	Next       Opt[netip.Prefix] // --srh-nsid: the next one
	Last       Opt[netip.Prefix] // --srh-lsid: the last one
}

// SRHNumber is what is asked of one number of the header. Those that are given
// must have the same value, which is all that the kernel's struct has room for.
type SRHNumber struct {
	Eq, Gt, Lt Opt[uint8]
}

// Name is "srh".
func (SRH) Name() string { return srh.Name }

func (SRH) ext() option.Extension { return srh }

var srh = &option.Spec[SRH]{
	Name:     "srh",
	Families: nf.IPv6,
	Rows: []option.Row[SRH]{
		opt("--srh-next-hdr", func(m *SRH) *Opt[uint8] { return &m.NextHeader }, hopCount),
		opt("--srh-hdr-len-eq", func(m *SRH) *Opt[uint8] { return &m.Len.Eq }, hopCount),
		opt("--srh-hdr-len-gt", func(m *SRH) *Opt[uint8] { return &m.Len.Gt }, hopCount),
		opt("--srh-hdr-len-lt", func(m *SRH) *Opt[uint8] { return &m.Len.Lt }, hopCount),
		opt("--srh-segs-left-eq", func(m *SRH) *Opt[uint8] { return &m.SegsLeft.Eq }, hopCount),
		opt("--srh-segs-left-gt", func(m *SRH) *Opt[uint8] { return &m.SegsLeft.Gt }, hopCount),
		opt("--srh-segs-left-lt", func(m *SRH) *Opt[uint8] { return &m.SegsLeft.Lt }, hopCount),
		opt("--srh-last-entry-eq", func(m *SRH) *Opt[uint8] { return &m.LastEntry.Eq }, hopCount),
		opt("--srh-last-entry-gt", func(m *SRH) *Opt[uint8] { return &m.LastEntry.Gt }, hopCount),
		opt("--srh-last-entry-lt", func(m *SRH) *Opt[uint8] { return &m.LastEntry.Lt }, hopCount),
		opt("--srh-tag", func(m *SRH) *Opt[uint16] { return &m.Tag }, option.Number[uint16](0, 65535)),
		opt("--srh-psid", func(m *SRH) *Opt[netip.Prefix] { return &m.Previous }, segment),
		opt("--srh-nsid", func(m *SRH) *Opt[netip.Prefix] { return &m.Next }, segment),
		opt("--srh-lsid", func(m *SRH) *Opt[netip.Prefix] { return &m.Last }, segment),
	},
	Check: checkSRH,
	List:  listSRH,
	XT:    option.XTStruct(option.XT[SRH]{}, 1, SRH.blob, readSRHBlob),
}

// segment is a codec for an address with a prefix; the address is kept whole.
var segment = option.Codec[netip.Prefix]{
	Want: "an IPv6 address, with /prefix",
	Parse: func(w string, _ option.Context) (netip.Prefix, error) {
		addr, mask, masked := strings.Cut(w, "/")
		a, err := netip.ParseAddr(addr)
		if err != nil || !a.Is6() || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("bad address: %s", w)
		}
		bits := uint8(128)
		if masked {
			bits, err = prefixLength.Parse(mask, option.Context{Family: nf.IPv6})
		}
		return netip.PrefixFrom(a, int(bits)), err
	},
	Print: func(p netip.Prefix, _ nf.Family) string { return p.String() },
}

func checkSRH(m *SRH, _ option.Context) error {
	for _, o := range [...]Opt[netip.Prefix]{m.Previous, m.Next, m.Last} {
		if p, _, ok := o.Get(); ok && (!p.IsValid() || !p.Addr().Is6()) {
			return fmt.Errorf("%v is no IPv6 prefix", p)
		}
	}
	for _, n := range [...]SRHNumber{m.Len, m.SegsLeft, m.LastEntry} {
		v := n.value()
		for _, o := range [...]Opt[uint8]{n.Eq, n.Gt, n.Lt} {
			if o.ok && o.v != v {
				return fmt.Errorf("%d and %d: the kernel has one number for -eq, -gt and -lt", v, o.v)
			}
		}
	}
	return nil
}

// value is the number of those that are given, 0 if none is.
func (n SRHNumber) value() uint8 {
	switch {
	case n.Eq.ok:
		return n.Eq.v
	case n.Gt.ok:
		return n.Gt.v
	}
	return n.Lt.v
}

// Compile leaves it to ip6t_srh.
func (m SRH) Compile(c *program.Code) error { return srh.Kernel(c, m) }

func (m SRH) blob(program.Env) (b xtables.SRH) {
	add := func(given, not bool, bit uint16) {
		b.What |= bitIf(given, bit)
		b.Invert |= bitIf(not, bit)
	}
	add(m.NextHeader.ok, m.NextHeader.not, xtables.SRHNextHeader)
	for i, n := range [...]SRHNumber{m.Len, m.SegsLeft, m.LastEntry} {
		bit := uint16(xtables.SRHLen) << (3 * i)
		add(n.Eq.ok, n.Eq.not, bit)
		add(n.Gt.ok, n.Gt.not, bit<<1)
		add(n.Lt.ok, n.Lt.not, bit<<2)
	}
	add(m.Tag.ok, m.Tag.not, xtables.SRHTag)
	for i, o := range [...]Opt[netip.Prefix]{m.Previous, m.Next, m.Last} {
		add(o.ok, o.not, xtables.SRHPrevious<<i)
		if o.ok {
			b.SIDs[i], b.Masks[i] = o.v.Addr().As16(), prefixMask(uint8(o.v.Bits()))
		}
	}
	b.NextHeader, b.Tag = m.NextHeader.v, m.Tag.v
	b.Len, b.SegsLeft, b.LastEntry = m.Len.value(), m.SegsLeft.value(), m.LastEntry.value()
	return b
}

func readSRHBlob(b xtables.SRH, env program.Env) (m SRH, ok bool) {
	m.NextHeader = optOf(b, xtables.SRHNextHeader, b.NextHeader)
	for i, n := range [...]*SRHNumber{&m.Len, &m.SegsLeft, &m.LastEntry} {
		bit, v := uint16(xtables.SRHLen)<<(3*i), [...]uint8{b.Len, b.SegsLeft, b.LastEntry}[i]
		*n = SRHNumber{optOf(b, bit, v), optOf(b, bit<<1, v), optOf(b, bit<<2, v)}
	}
	m.Tag = optOf(b, xtables.SRHTag, b.Tag)
	for i, o := range [...]*Opt[netip.Prefix]{&m.Previous, &m.Next, &m.Last} {
		ones, _ := maskLength(b.Masks[i][:]) // another mask shows below
		*o = optOf(b, xtables.SRHPrevious<<i, netip.PrefixFrom(netip.AddrFrom16(b.SIDs[i]), int(ones)))
	}
	return m, m.blob(env) == b
}

// optOf is the option of a bit.
func optOf[V comparable](b xtables.SRH, bit uint16, v V) (o Opt[V]) {
	if b.What&bit != 0 {
		o = isOrNot(b.Invert&bit != 0, v)
	}
	return o
}

// listSRH prints a segment behind "!" or nothing, with a blank around, as
// ip6tables does.
func listSRH(m SRH, _ *option.Lister) string {
	words := []string{"srh"}
	number := func(name string, o Opt[uint8]) {
		if o.ok {
			words = append(words, fmt.Sprintf("%s:%s%d", name, bang(o.not), o.v))
		}
	}
	number("next-hdr", m.NextHeader)
	for i, n := range [...]SRHNumber{m.Len, m.SegsLeft, m.LastEntry} {
		name := [...]string{"hdr-len", "segs-left", "last-entry"}[i]
		number(name+"-eq", n.Eq)
		number(name+"-gt", n.Gt)
		number(name+"-lt", n.Lt)
	}
	if m.Tag.ok {
		words = append(words, fmt.Sprintf("tag:%s%d", bang(m.Tag.not), m.Tag.v))
	}
	for i, o := range [...]Opt[netip.Prefix]{m.Previous, m.Next, m.Last} {
		if o.ok {
			words = append(words, fmt.Sprintf("%s %s %v", [...]string{"psid", "nsid", "lsid"}[i], bang(o.not), o.v))
		}
	}
	return strings.Join(words, " ")
}
