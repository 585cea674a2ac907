package match

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// RT is -m rt: the routing header of an IPv6 packet. It implies IPv6. The zero
// value matches every packet that has one.
//
//	[!] --rt-type type  [!] --rt-segsleft num[:num]  [!] --rt-len bytes
//	--rt-0-res  --rt-0-addrs addr[,addr…]  --rt-0-not-strict
//
// The last three look at headers of type 0, and need --rt-type 0. It is the
// kernel's own ip6t_rt, which ip6 tables have and inet tables have not.
// ip6tables-save loses "! --rt-segsleft 0:4294967295", which matches nothing;
// ours prints it. A range that runs backward, which could match nothing either,
// is refused. It mirrors net/ipv6/netfilter/ip6t_rt.c.
type RT struct {
	Type      Opt[uint32]  // --rt-type; packets have 0 to 255
	SegsLeft  Opt[Numbers] // --rt-segsleft; packets have 0 to 255
	Len       Opt[uint32]  // --rt-len: the whole header's length in bytes
	Reserved  bool         // --rt-0-res: the reserved field is 0
	Addrs     Opt[Hops]    // --rt-0-addrs: the addresses, in that order; not invertible
	NotStrict bool         // --rt-0-not-strict: others may stand between them
}

// maxHops is IP6T_RT_HOPS: what the kernel's struct holds.
const maxHops = 16

// Hops is a list of IPv6 addresses. Made by Via; the zero value is empty, which
// is an error where it is used.
type Hops struct {
	addrs [maxHops]netip.Addr
	n     uint8
	err   string
}

// Via is a list of 1 to 16 IPv6 addresses.
func Via(addrs ...netip.Addr) (h Hops) {
	if len(addrs) > maxHops {
		return Hops{err: "too many addresses specified"}
	}
	for _, a := range addrs {
		if !a.Is6() || a.Zone() != "" {
			return Hops{err: fmt.Sprintf("bad address: %v", a)}
		}
		h.addrs[h.n] = a
		h.n++
	}
	return h
}

// All are the addresses.
func (h Hops) All() []netip.Addr { return append([]netip.Addr(nil), h.addrs[:h.n]...) }

// Err is not nil for an empty list, and for what Via could not take.
func (h Hops) Err() error {
	switch {
	case h.err != "":
		return errors.New(h.err)
	case h.n == 0:
		return errors.New("empty list of addresses")
	}
	return nil
}

// String is "fd00::1,fd00::2".
func (h Hops) String() string {
	var words []string
	for _, a := range h.addrs[:h.n] {
		words = append(words, a.String())
	}
	return strings.Join(words, ",")
}

// Name is "rt".
func (RT) Name() string { return rt.Name }

func (RT) ext() option.Extension { return rt }

var rt = &option.Spec[RT]{
	Name:     "rt",
	Families: nf.IPv6,
	Rows: []option.Row[RT]{
		opt("--rt-type", func(m *RT) *Opt[uint32] { return &m.Type }, option.Number[uint32](0, 1<<32-1)),
		opt("--rt-segsleft", func(m *RT) *Opt[Numbers] { return &m.SegsLeft }, numbers),
		opt("--rt-len", func(m *RT) *Opt[uint32] { return &m.Len }, option.Number[uint32](0, 1<<32-1)),
		after(RT.typeZero, "`--rt-type 0'", option.Flag("--rt-0-res", func(m *RT) *bool { return &m.Reserved })),
		after(RT.typeZero, "`--rt-type 0'", plain("--rt-0-addrs", func(m *RT) *Opt[Hops] { return &m.Addrs }, hopList)),
		after(RT.hasAddrs, "`--rt-0-addr ...'", option.Flag("--rt-0-not-strict", func(m *RT) *bool { return &m.NotStrict })),
	},
	Check: checkRT,
	List:  listRT,
	XT:    option.XTStruct(option.XT[RT]{}, 0, RT.blob, readRTBlob),
}

func (m RT) typeZero() bool { return m.Type == Is(uint32(0)) }
func (m RT) hasAddrs() bool { return m.Addrs.Given() }

// after is a row for an option that must stand behind another.
func after[T any](has func(T) bool, other string, row option.Row[T]) option.Row[T] {
	set := row.Set
	row.Set = func(t *T, not bool, words []string, c option.Context) error {
		if !has(*t) {
			return fmt.Errorf("%s required before `%s'", other, row.Name)
		}
		return set(t, not, words, c)
	}
	return row
}

func checkRT(m *RT, _ option.Context) error {
	switch {
	case m.Addrs.not:
		return fmt.Errorf("--rt-0-addrs: %w", option.ErrNoInvert)
	case (m.Reserved || m.hasAddrs()) && !m.typeZero():
		return errors.New("--rt-0-res and --rt-0-addrs need --rt-type 0")
	case m.NotStrict && !m.hasAddrs():
		return errors.New("--rt-0-not-strict needs --rt-0-addrs")
	}
	return errors.Join(checkNumbers(&m.SegsLeft), valid(m.Addrs))
}

var hopList = option.Codec[Hops]{
	Want: "up to 16 IPv6 addresses",
	Parse: func(w string, _ option.Context) (h Hops, err error) {
		var addrs []netip.Addr
		for _, word := range strings.Split(w, ",") {
			a, err := netip.ParseAddr(word)
			if err != nil {
				return h, fmt.Errorf("bad address: %s", word)
			}
			addrs = append(addrs, a)
		}
		h = Via(addrs...)
		return h, h.Err()
	},
	Print: func(h Hops, _ nf.Family) string { return h.String() },
}

// Compile leaves it to ip6t_rt.
func (m RT) Compile(c *program.Code) error { return rt.Kernel(c, m) }

func (m RT) blob(program.Env) (b xtables.RT) {
	b.SegsLeft, b.Invert = numbersBlob(m.SegsLeft, xtables.RTSegsLeft)
	b.Invert |= bitIf[uint8](m.Type.not, xtables.RTType) | bitIf[uint8](m.Len.not, xtables.RTLen)
	b.What = bitIf[uint8](m.Type.ok, xtables.RTType) | bitIf[uint8](m.SegsLeft.ok, xtables.RTSegsLeft) | bitIf[uint8](m.Len.ok, xtables.RTLen) |
		bitIf[uint8](m.Reserved, xtables.RTReserved) | bitIf[uint8](m.Addrs.ok, xtables.RTAddrs) | bitIf[uint8](m.NotStrict, xtables.RTNotStrict)
	b.Type, b.Len, b.Count = m.Type.v, m.Len.v, m.Addrs.v.n
	for i, a := range m.Addrs.v.All() {
		b.Addrs[i] = a.As16()
	}
	return b
}

func readRTBlob(b xtables.RT, env program.Env) (m RT, ok bool) {
	is := func(bit uint8) (given, not bool) { return b.What&bit != 0, b.Invert&bit != 0 }
	if given, not := is(xtables.RTType); given {
		m.Type = isOrNot(not, b.Type)
	}
	if given, not := is(xtables.RTSegsLeft); given {
		m.SegsLeft = readNumbersBlob(b.SegsLeft, not)
	}
	if given, not := is(xtables.RTLen); given {
		m.Len = isOrNot(not, b.Len)
	}
	m.Reserved, _ = is(xtables.RTReserved)
	m.NotStrict, _ = is(xtables.RTNotStrict)
	if given, _ := is(xtables.RTAddrs); given {
		if b.Count > maxHops {
			return m, false
		}
		var addrs []netip.Addr
		for _, a := range b.Addrs[:b.Count] {
			addrs = append(addrs, netip.AddrFrom16(a))
		}
		m.Addrs = Is(Via(addrs...))
	}
	return m, checkRT(&m, option.Context{}) == nil && m.blob(env) == b
}

// listRT prints a type above 2147483647 as a negative number, as ip6tables does.
func listRT(m RT, _ *option.Lister) string {
	words := []string{"rt"}
	add := func(on bool, format string, args ...any) {
		if on {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(m.Type.ok, "type:%s%d", bang(m.Type.not), int32(m.Type.v))
	add(m.SegsLeft.ok, "%s", listNumbers("segsleft", m.SegsLeft))
	add(m.Len.ok, "length:%s%d", bang(m.Len.not), m.Len.v)
	add(m.Reserved, "reserved")
	add(m.Addrs.ok, "0-addrs %v", m.Addrs.v)
	add(m.NotStrict, "0-not-strict")
	return strings.Join(words, " ")
}
