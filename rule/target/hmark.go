package target

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// HMARK is -j HMARK: it sets the packet's mark to a hash of some of its fields:
// Offset + hash % Modulus, the same for both directions of a flow. A field that is
// not given is not in the hash. Modulus, Rnd and a field or CT must be given.
//
//	--hmark-tuple src|dst|sport|dport|spi|proto|ct[,…]
//	--hmark-src-prefix bits  --hmark-dst-prefix bits
//	--hmark-sport-mask mask  --hmark-dport-mask mask  --hmark-sport bits  --hmark-dport bits
//	--hmark-spi-mask mask  --hmark-spi bits  --hmark-proto-mask mask
//	--hmark-rnd number  --hmark-mod number  --hmark-offset number
//
// It is the kernel's own xt target, which ip and ip6 tables have and inet tables
// have not: nf_tables' hashes are others. --hmark-tuple src is the whole address,
// which is printed as its prefix; iptables writes 16 bytes of mask then even for
// IPv4, of which the kernel looks at four, and we write those four unless a rule
// was read that has more. An IPv4 prefix of more than 32 bits, which iptables takes,
// is refused. It mirrors net/netfilter/xt_HMARK.c.
type HMARK struct {
	Source, Dest         Opt[uint8]  // --hmark-src-prefix, --hmark-dst-prefix: bits of the address, up to 32 or 128; AllBits: all
	SportMask, DportMask Opt[uint16] // --hmark-sport-mask, --hmark-dport-mask: bits of the port
	Sport, Dport         Opt[uint16] // --hmark-sport, --hmark-dport: bits that are set in it
	SPIMask, SPI         Opt[uint32] // --hmark-spi-mask, --hmark-spi: the same of the SPI of esp and ah
	ProtoMask            Opt[uint16] // --hmark-proto-mask: bits of the protocol
	CT                   bool        // --hmark-tuple ct: the fields are those of the connection's first packet
	Rnd                  Opt[uint32] // --hmark-rnd: what the hash begins with
	Modulus              uint32      // --hmark-mod: at least 1
	Offset               Opt[uint32] // --hmark-offset: the smallest mark; absent: 0

	wide uint8 // IPv4: masks of 16 bytes, by HMarkSource and HMarkDest
}

// AllBits is the prefix of a whole address of an HMARK, be it IPv4 or IPv6; the
// rule must be for one of the two.
const AllBits uint8 = 255

// Name is "HMARK".
func (HMARK) Name() string { return hmark.Name }

func (HMARK) ext() option.Extension { return hmark }

var hmark = &option.Spec[HMARK]{
	Name: "HMARK",
	Rows: []option.Row[HMARK]{
		once(opt("--hmark-src-prefix", func(t *HMARK) *Opt[uint8] { return &t.Source }, addressBits)),
		once(opt("--hmark-dst-prefix", func(t *HMARK) *Opt[uint8] { return &t.Dest }, addressBits)),
		once(opt("--hmark-sport-mask", func(t *HMARK) *Opt[uint16] { return &t.SportMask }, hex[uint16](0xffff, 4))),
		once(opt("--hmark-dport-mask", func(t *HMARK) *Opt[uint16] { return &t.DportMask }, hex[uint16](0xffff, 4))),
		once(opt("--hmark-spi-mask", func(t *HMARK) *Opt[uint32] { return &t.SPIMask }, hex[uint32](0xffffffff, 8))),
		opt("--hmark-sport", func(t *HMARK) *Opt[uint16] { return &t.Sport }, hex[uint16](0xffff, 4)),
		opt("--hmark-dport", func(t *HMARK) *Opt[uint16] { return &t.Dport }, hex[uint16](0xffff, 4)),
		opt("--hmark-spi", func(t *HMARK) *Opt[uint32] { return &t.SPI }, hex[uint32](0xffffffff, 8)),
		once(opt("--hmark-proto-mask", func(t *HMARK) *Opt[uint16] { return &t.ProtoMask }, hex[uint16](0xffff, 2))),
		opt("--hmark-rnd", func(t *HMARK) *Opt[uint32] { return &t.Rnd }, hex[uint32](0xffffffff, 8)),
		option.Field("--hmark-mod", func(t *HMARK) *uint32 { return &t.Modulus }, option.Number[uint32](1, 0xffffffff)),
		opt("--hmark-offset", func(t *HMARK) *Opt[uint32] { return &t.Offset }, option.Number[uint32](0, 0xffffffff)),
		{
			Name: "--hmark-tuple", Args: 1, Want: "a list of src, dst, sport, dport, spi, proto and ct",
			Set: func(t *HMARK, _ bool, w []string, _ option.Context) error { return t.tuple(w[0]) },
			Get: func(t *HMARK, _ nf.Family) (bool, string, bool) { return false, "ct", t.CT },
		},
	},
	Check: checkHMARK,
	List:  listHMARK,
	XT:    option.XTStruct(option.XT[HMARK]{Target: true}, 0, HMARK.blob, readHMARKBlob),
}

// once is a row that --hmark-tuple before it may have set.
func once(row option.Row[HMARK]) option.Row[HMARK] {
	set, get := row.Set, row.Get
	row.Set = func(t *HMARK, not bool, w []string, c option.Context) error {
		if _, _, ok := get(t, c.Family); ok {
			return option.ErrOnce
		}
		return set(t, not, w, c)
	}
	return row
}

// addressBits is a codec for a prefix's length.
var addressBits = option.Codec[uint8]{
	Want: "bits, up to 32 for IPv4 and 128 for IPv6",
	Parse: func(w string, c option.Context) (uint8, error) {
		most := uint64(128)
		if c.Family == nf.IPv4 {
			most = 32
		}
		n, err := option.Uint(w, 0, most)
		return uint8(n), err
	},
	Print: func(n uint8, _ nf.Family) string { return fmt.Sprint(n) },
}

// tuple reads a list of fields, each of which may be cut short, as iptables takes it.
func (t *HMARK) tuple(list string) error {
	fields := [...]struct {
		name string
		set  func()
	}{
		{"ct", func() { t.CT = true }},
		{"src", func() { t.Source = Is(AllBits) }},
		{"dst", func() { t.Dest = Is(AllBits) }},
		{"sport", func() { t.SportMask = Is[uint16](0xffff) }},
		{"dport", func() { t.DportMask = Is[uint16](0xffff) }},
		{"proto", func() { t.ProtoMask = Is[uint16](0xffff) }},
		{"spi", func() { t.SPIMask = Is[uint32](0xffffffff) }},
	}
next:
	for _, w := range strings.Split(list, ",") {
		for _, f := range fields {
			if w != "" && strings.HasPrefix(f.name, strings.ToLower(w)) {
				f.set()
				continue next
			}
		}
		return fmt.Errorf("bad type %q", w)
	}
	return nil
}

func checkHMARK(t *HMARK, c option.Context) error {
	for _, o := range [...]*Opt[uint8]{&t.Source, &t.Dest} {
		n, given := o.Get()
		switch {
		case !given:
		case n == AllBits && c.Family == nf.IPv4:
			o.v = 32
		case n == AllBits && c.Family == nf.IPv6:
			o.v = 128
		case n == AllBits:
			return errors.New("a whole address is of one family: the rule needs -4 or -6")
		case n > 128 || n > 32 && c.Family == nf.IPv4:
			return fmt.Errorf("a prefix of %d bits is longer than an address", n)
		}
	}
	switch {
	case t.Modulus == 0:
		return errors.New("--hmark-mod is mandatory")
	case !t.Rnd.Given():
		return errors.New("--hmark-rnd is mandatory")
	case t.SPIMask.Given() && (t.SportMask.Given() || t.DportMask.Given()):
		return errors.New("you cannot use --hmark-spi-mask and --hmark-?port-mask, at the same time")
	case t.SPI.Given() && (t.Sport.Given() || t.Dport.Given()):
		return errors.New("you cannot use --hmark-spi and --hmark-?port, at the same time")
	case t.flags()&^(xtables.HMarkRnd|xtables.HMarkModulus|xtables.HMarkOffset) == 0:
		return errors.New("you have to specify --hmark-tuple at least")
	}
	return nil
}

// listHMARK ends in a blank, as iptables' does.
func listHMARK(t HMARK, l *option.Lister) string {
	s := fmt.Sprintf("HMARK mod %d ", t.Modulus)
	part := func(format string, v any, given bool) {
		if given {
			s += fmt.Sprintf(format, v)
		}
	}
	part("+ 0x%x ", t.Offset.v, t.Offset.ok)
	part("ct, %s", "", t.CT)
	part("src-prefix %s ", listBits(t.Source.v, l.Family), t.Source.ok)
	part("dst-prefix %s ", listBits(t.Dest.v, l.Family), t.Dest.ok)
	part("sport-mask 0x%x ", t.SportMask.v, t.SportMask.ok)
	part("dport-mask 0x%x ", t.DportMask.v, t.DportMask.ok)
	part("spi-mask 0x%x ", t.SPIMask.v, t.SPIMask.ok)
	part("sport 0x%x ", t.Sport.v, t.Sport.ok)
	part("dport 0x%x ", t.Dport.v, t.Dport.ok)
	part("spi 0x%x ", t.SPI.v, t.SPI.ok)
	part("proto-mask 0x%x ", t.ProtoMask.v, t.ProtoMask.ok)
	part("rnd 0x%x ", t.Rnd.v, t.Rnd.ok)
	return s
}

// listBits is a prefix as iptables lists it; ip6tables says nothing of 128 bits.
func listBits(n uint8, f nf.Family) string {
	if f == nf.IPv6 && n == 128 {
		return ""
	}
	return fmt.Sprint(n)
}

// Compile adds the kernel's target.
func (t HMARK) Compile(a program.Action) error { return hmark.Kernel(a.Code, t) }
