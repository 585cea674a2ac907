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

// AH is -m ah: the IPsec authentication header. The zero value matches every
// packet that has one. The two families' matches share a name and little else:
//
//	IPv4, which needs -p ah:   [!] --ahspi spi[:spi]
//	IPv6, behind any -p:       [!] --ahspi spi[:spi]  [!] --ahlen length  --ahres
//
// For IPv4 it is native: four bytes of the header, behind a guard that it is
// there (ipt_ah looks at first fragments only, and drops a packet whose header is
// cut short, where we only do not match it). For IPv6, where the header is one of
// a chain of extension headers, it is the kernel's own ip6t_ah, which ip6 tables
// have and inet tables have not; a rule for both families needs an ip and an ip6
// table. A rule that is for IPv4 alone implies -p ah; one for both families must
// say it, or it is an error where IPv4's part of it is programmed. What -p sees
// behind an IPv6 AH is not what ip6tables sees: see Protocol.
//
// iptables-save loses "! --ahspi 0:4294967295", which matches nothing, and so
// restores a rule that matches everything; ours prints it. A range that runs
// backward, which could match nothing either, is refused. It mirrors
// net/ipv4/netfilter/ipt_ah.c and net/ipv6/netfilter/ip6t_ah.c.
type AH struct {
	SPI      Opt[Numbers] // --ahspi
	Len      Opt[uint32]  // --ahlen, IPv6 only: the header's length in bytes; Is(0) is any
	Reserved bool         // --ahres, IPv6 only: the reserved field must be 0
}

const ahName = "ah"

// Name is "ah".
func (AH) Name() string { return ahName }

func (AH) ext() option.Extension { return ah }

var ah = &option.Spec[AH]{
	Name: ahName,
	Rows: []option.Row[AH]{
		opt("--ahspi", func(m *AH) *Opt[Numbers] { return &m.SPI }, numbers),
		onlyIPv6(opt("--ahlen", func(m *AH) *Opt[uint32] { return &m.Len }, option.Number[uint32](0, 1<<32-1))),
		onlyIPv6(option.Flag("--ahres", func(m *AH) *bool { return &m.Reserved })),
	},
	Check: checkAH,
	Needs: func(m AH) option.Needs {
		n := option.Needs{Protos: []nf.Protocol{nf.AH}, Imply: nf.AH, ProtosOf: nf.IPv4}
		if m.Len.Given() || m.Reserved {
			n.Family = nf.IPv6
		}
		return n
	},
	List: listAH,
	Read: readAH,
	XT:   &option.XT[AH]{Encode: AH.encode, Decode: decodeAH},
}

// onlyIPv6 is a row that iptables has not and ip6tables has.
func onlyIPv6[T any](row option.Row[T]) option.Row[T] {
	set := row.Set
	row.Set = func(t *T, not bool, words []string, c option.Context) error {
		if c.Family == nf.IPv4 {
			return fmt.Errorf("unknown option %q", row.Name)
		}
		return set(t, not, words, c)
	}
	return row
}

func checkAH(m *AH, c option.Context) error {
	if m.Len == Is(uint32(0)) {
		m.Len = Opt[uint32]{}
	}
	if c.Family == nf.IPv4 && (m.Len.Given() || m.Reserved) {
		return errors.New("--ahlen and --ahres are for IPv6")
	}
	return checkNumbers(&m.SPI)
}

// wholeAH is struct ip_auth_hdr.
const wholeAH = 12

var ahSPIField = program.Payload{Base: program.Transport, Offset: 4, Len: 4}

// Compile compares IPv4's header; IPv6's is left to ip6t_ah.
func (m AH) Compile(c *program.Code) error {
	switch {
	case c.Env.Both():
		return program.NotInInet(ahName)
	case c.Env.V6():
		return ah.Kernel(c, m)
	case c.Env.Proto != uint8(nf.AH) || c.Env.ProtoNot:
		return &program.InexactError{Extension: ahName, Why: "for IPv4 it needs -p ah", Hint: "match.Proto(nf.AH)"}
	}
	c.Test(whole(wholeAH))
	if m.SPI.Given() {
		c.Test(numbersTest(ahSPIField, m.SPI))
	}
	return nil
}

func readAH(r *program.Reader) (m AH, ok bool) {
	if r.Env.V6() || r.Env.Proto != uint8(nf.AH) || r.Env.ProtoNot || !readWhole(r, wholeAH) {
		return m, false
	}
	m.SPI = readNumbers(r, ahSPIField)
	return m, true
}

// encode is the struct of the table's family.
func (m AH) encode(env program.Env) (rev uint8, info string) {
	spi, invert := numbersBlob(m.SPI, xtables.AHInvertSPI)
	if !env.V6() {
		return 0, xtables.Encode(xtables.AH{SPI: spi, Invert: invert})
	}
	n, not, _ := m.Len.Get()
	return 0, xtables.Encode(xtables.AH6{
		SPI: spi, Len: n, Reserved: bitIf[uint8](m.Reserved, 1), Invert: invert | bitIf[uint8](not, xtables.AHInvertLen),
	})
}

func decodeAH(rev uint8, info string, env program.Env) (m AH, ok bool) {
	if !env.V6() {
		b, ok := xtables.Decode[xtables.AH](info)
		return AH{SPI: readNumbersBlob(b.SPI, b.Invert&xtables.AHInvertSPI != 0)}, ok && rev == 0
	}
	b, ok := xtables.Decode[xtables.AH6](info)
	if not := b.Invert&xtables.AHInvertLen != 0; not || b.Len != 0 {
		m.Len = isOrNot(not, b.Len)
	}
	m.SPI, m.Reserved = readNumbersBlob(b.SPI, b.Invert&xtables.AHInvertSPI != 0), b.Reserved != 0
	return m, ok && rev == 0
}

// listAH has no blank before "length", as ip6tables has none.
func listAH(m AH, _ *option.Lister) string {
	s := "ah " + listNumbers("spi", m.SPI)
	if n, not, ok := m.Len.Get(); ok {
		s += fmt.Sprintf("length:%s%d", bang(not), n)
	}
	if m.Reserved {
		s += " reserved"
	}
	return strings.TrimSpace(s)
}
