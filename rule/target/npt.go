package target

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

// SNPT is -j SNPT: it exchanges the prefix of a packet's source address, without
// connection tracking, so that checksums stay right (RFC 6296). It is for the
// chains INPUT and POSTROUTING of the table mangle, and for IPv6. The zero value is
// an error.
//
//	--src-pfx prefix/length  --dst-pfx prefix/length
//
// It is the kernel's own xt target, which the kernel ties to the table name mangle:
// nf_tables' prefix NAT is one of connections. It mirrors net/ipv6/netfilter/ip6t_NPT.c.
// iptables leaves it to the kernel to say that a prefix is longer than 64 bits, or
// has bits behind them.
type SNPT struct {
	From netip.Prefix // --src-pfx: what is replaced, at most 64 bits
	To   netip.Prefix // --dst-pfx: by what
}

// DNPT is -j DNPT: SNPT for a packet's destination address, in the chains
// PREROUTING and OUTPUT of the table mangle. The zero value is an error.
//
//	--src-pfx prefix/length  --dst-pfx prefix/length
type DNPT struct {
	From netip.Prefix // --src-pfx: what is replaced, at most 64 bits
	To   netip.Prefix // --dst-pfx: by what
}

// Name is "SNPT".
func (SNPT) Name() string { return snpt.Name }

// Name is "DNPT".
func (DNPT) Name() string { return dnpt.Name }

func (SNPT) ext() option.Extension { return snpt }

func (DNPT) ext() option.Extension { return dnpt }

// prefixes are what SNPT and DNPT consist of.
type prefixes struct{ From, To netip.Prefix }

var (
	snpt = &option.Spec[SNPT]{
		Name: "SNPT", Families: nf.IPv6, Rows: nptRows[SNPT](), Check: checkNPT[SNPT],
		Needs: func(SNPT) option.Needs {
			return option.Needs{Tables: []string{"mangle"}, Chains: []string{"INPUT", "POSTROUTING"}}
		},
		List: func(t SNPT, _ *option.Lister) string { return "SNPT " + prefixes(t).list() },
		XT:   nptXT[SNPT](),
	}
	dnpt = &option.Spec[DNPT]{
		Name: "DNPT", Families: nf.IPv6, Rows: nptRows[DNPT](), Check: checkNPT[DNPT],
		Needs: func(DNPT) option.Needs {
			return option.Needs{Tables: []string{"mangle"}, Chains: []string{"PREROUTING", "OUTPUT"}}
		},
		List: func(t DNPT, _ *option.Lister) string { return "DNPT " + prefixes(t).list() },
		XT:   nptXT[DNPT](),
	}
)

func nptRows[T ~struct{ From, To netip.Prefix }]() []option.Row[T] {
	row := func(name string, field func(*prefixes) *netip.Prefix) option.Row[T] {
		return option.Row[T]{
			Name: name, Args: 1, Want: "an IPv6 prefix of at most 64 bits",
			Set: func(t *T, _ bool, w []string, _ option.Context) error {
				n, err := option.ParseNet(w[0], nf.IPv6)
				if err != nil {
					return err
				}
				p, ok := n.Prefix()
				if a, err := netip.ParseAddr(beforeSlash(w[0])); !ok || err != nil || a != p.Addr() {
					return errBehindPrefix
				}
				v := prefixes(*t)
				*field(&v) = p
				*t = T(v)
				return nil
			},
			Get: func(t *T, _ nf.Family) (bool, string, bool) {
				v := prefixes(*t)
				return false, field(&v).String(), true
			},
		}
	}
	return []option.Row[T]{
		row("--src-pfx", func(p *prefixes) *netip.Prefix { return &p.From }),
		row("--dst-pfx", func(p *prefixes) *netip.Prefix { return &p.To }),
	}
}

var errBehindPrefix = errors.New("has bits behind the prefix")

func beforeSlash(w string) string {
	host, _, _ := strings.Cut(w, "/")
	return host
}

func checkNPT[T ~struct{ From, To netip.Prefix }](t *T, _ option.Context) error {
	v := prefixes(*t)
	for _, p := range [...]struct {
		name string
		p    netip.Prefix
	}{{"--src-pfx", v.From}, {"--dst-pfx", v.To}} {
		switch {
		case p.p == netip.Prefix{}:
			return must(p.name, false)
		case !p.p.IsValid() || !p.p.Addr().Is6() || p.p.Addr().Is4In6() || p.p.Bits() > 64:
			return fmt.Errorf("%s %v is no IPv6 prefix of at most 64 bits", p.name, p.p)
		case p.p.Masked() != p.p:
			return fmt.Errorf("%s %v %w", p.name, p.p, errBehindPrefix)
		}
	}
	return nil
}

func (p prefixes) list() string { return fmt.Sprintf("src-pfx %v dst-pfx %v", p.From, p.To) }

func nptXT[T ~struct{ From, To netip.Prefix }]() *option.XT[T] {
	return option.XTStruct(option.XT[T]{Target: true, Tables: []string{"mangle"}}, 0,
		func(t T, _ program.Env) xtables.NPT {
			p := prefixes(t)
			return xtables.NPT{
				Source: p.From.Addr().As16(), SourceLen: uint8(p.From.Bits()),
				Dest: p.To.Addr().As16(), DestLen: uint8(p.To.Bits()),
			}
		},
		func(b xtables.NPT, _ program.Env) (T, bool) {
			p := prefixes{
				netip.PrefixFrom(netip.AddrFrom16(b.Source), int(b.SourceLen)),
				netip.PrefixFrom(netip.AddrFrom16(b.Dest), int(b.DestLen)),
			}
			return T(p), b.Adjustment == 0
		})
}

// Compile adds the kernel's target.
func (t SNPT) Compile(a program.Action) error { return snpt.Kernel(a.Code, t) }

// Compile adds the kernel's target.
func (t DNPT) Compile(a program.Action) error { return dnpt.Kernel(a.Code, t) }
