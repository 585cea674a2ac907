package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	xtables "github.com/gatehouse-fw/gatehouse/internal/xt"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// IPv6Header is -m ipv6header: which extension headers an IPv6 packet has. It
// implies IPv6.
//
//	[!] --header header[,header…]  --soft
//
// It is the kernel's own ip6t_ipv6header, which ip6 tables have and inet tables
// have not. It mirrors net/ipv6/netfilter/ip6t_ipv6header.c.
type IPv6Header struct {
	Headers Opt[IPv6Headers] // --header; absent is an error
	Soft    bool             // --soft: others may be there too; false: these and no others
}

// IPv6Headers are extension headers, one bit each.
type IPv6Headers uint8

// The extension headers.
const (
	HeaderProtocol    IPv6Headers = 1 << iota // protocol: some other header, TCP's for example
	HeaderNone                                // ipv6-nonxt: nothing follows
	HeaderESP                                 // esp
	HeaderAH                                  // ah
	HeaderFragment                            // ipv6-frag
	HeaderRouting                             // ipv6-route
	HeaderDestination                         // ipv6-opts: destination options
	HeaderHopByHop                            // hop-by-hop: hop-by-hop options
)

// headers6 are the names of the headers, as they are printed and as they may be
// shortened, and their numbers; in the order in which they are printed.
var headers6 = [...]struct {
	bit         IPv6Headers
	name, short string
	number      nf.Protocol
}{
	{HeaderHopByHop, "hop-by-hop", "hop", 0},
	{HeaderDestination, "ipv6-opts", "dst", 60},
	{HeaderRouting, "ipv6-route", "route", 43},
	{HeaderFragment, "ipv6-frag", "frag", 44},
	{HeaderAH, "ah", "auth", 51},
	{HeaderESP, "esp", "esp", 50},
	{HeaderNone, "ipv6-nonxt", "none", 59},
	{HeaderProtocol, "protocol", "prot", 255},
}

// Err is not nil for no header.
func (h IPv6Headers) Err() error {
	if h == 0 {
		return errors.New("empty list of headers")
	}
	return nil
}

// String is "hop-by-hop,ipv6-frag".
func (h IPv6Headers) String() string {
	var names []string
	for _, x := range headers6 {
		if h&x.bit != 0 {
			names = append(names, x.name)
		}
	}
	return strings.Join(names, ",")
}

// Name is "ipv6header".
func (IPv6Header) Name() string { return ipv6header.Name }

func (IPv6Header) ext() option.Extension { return ipv6header }

var ipv6header = &option.Spec[IPv6Header]{
	Name:     "ipv6header",
	Families: nf.IPv6,
	Rows: []option.Row[IPv6Header]{
		opt("--header", func(m *IPv6Header) *Opt[IPv6Headers] { return &m.Headers }, headerList),
		option.Flag("--soft", func(m *IPv6Header) *bool { return &m.Soft }),
	},
	Check: func(m *IPv6Header, _ option.Context) error { return mandatory("--header", m.Headers) },
	List: func(m IPv6Header, l *option.Lister) string {
		h, not, _ := m.Headers.Get()
		s := h.String()
		if l.Numeric() {
			s = fmt.Sprintf("0x%02X", uint8(h))
		}
		s = "ipv6header flags:" + bang(not) + s
		if m.Soft {
			s += " soft"
		}
		return s
	},
	XT: option.XTStruct(option.XT[IPv6Header]{}, 0,
		func(m IPv6Header, _ program.Env) xtables.IPv6Header {
			h, not, _ := m.Headers.Get()
			return xtables.IPv6Header{Headers: uint8(h), Invert: bitIf[uint8](not, xtables.IPv6HeaderInvert), Soft: bitIf[uint8](m.Soft, xtables.IPv6HeaderSoft)}
		},
		func(b xtables.IPv6Header, _ program.Env) (IPv6Header, bool) {
			ok := b.Headers != 0 && (b.Invert == 0 || b.Invert == xtables.IPv6HeaderInvert) && (b.Soft == 0 || b.Soft == xtables.IPv6HeaderSoft)
			return IPv6Header{isOrNot(b.Invert != 0, IPv6Headers(b.Headers)), b.Soft != 0}, ok
		}),
}

// headerList is a codec for names and numbers of headers; what is empty between
// commas is skipped.
var headerList = option.Codec[IPv6Headers]{
	Want: "header[,header…]",
	Parse: func(w string, _ option.Context) (h IPv6Headers, err error) {
		for _, name := range strings.FieldsFunc(w, func(r rune) bool { return r == ',' }) {
			bit, ok := headerNamed(name)
			if !ok {
				return 0, fmt.Errorf("unknown header `%s' specified", name)
			}
			h |= bit
		}
		return h, h.Err()
	},
	Print: func(h IPv6Headers, _ nf.Family) string { return h.String() },
}

func headerNamed(name string) (bit IPv6Headers, ok bool) {
	n, err := option.Uint(name, 0, 255)
	for _, x := range headers6 {
		if name == x.name || name == x.short || err == nil && nf.Protocol(n) == x.number {
			return x.bit, true
		}
	}
	return HeaderHopByHop, name == "hopopt"
}

// Compile leaves it to ip6t_ipv6header.
func (m IPv6Header) Compile(c *program.Code) error { return ipv6header.Kernel(c, m) }
