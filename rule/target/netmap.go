package target

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// NetMap is -j NETMAP: it translates addresses to those of a network, host by
// host: what is behind the prefix stays. In PREROUTING and OUTPUT it is the
// destination, in INPUT and POSTROUTING the source. It is valid in table nat. The
// zero value is an error.
//
//	--to address[/mask]
//
// It is native, nf_tables' nat expression with a prefix, in a built-in chain,
// which says what is translated. A user chain does not: there it needs xt_NETMAP,
// which the kernel ties to the table name nat: see program.InexactError. Masks with
// holes, and prefixes that are too long, which iptables takes for a single address,
// are refused. It mirrors net/netfilter/xt_NETMAP.c.
type NetMap struct {
	To netip.Prefix // --to; bits behind the prefix are cleared
}

// Name is "NETMAP".
func (NetMap) Name() string { return netmap.Name }

// Family is that of the network.
func (t NetMap) Family() nf.Family { return nf.FamilyOf(t.To.Addr()) }

func (NetMap) ext() option.Extension { return netmap }

var netmap = &option.Spec[NetMap]{
	Name: "NETMAP",
	Rows: []option.Row[NetMap]{
		option.Field("--to", func(t *NetMap) *netip.Prefix { return &t.To }, option.Codec[netip.Prefix]{
			Want: "an address, with /prefix or /mask", Parse: parsePrefix,
			Print: func(p netip.Prefix, _ nf.Family) string { return p.String() },
		}),
	},
	Check: func(t *NetMap, _ option.Context) error {
		switch {
		case t.To == netip.Prefix{}:
			return errors.New("option \"--to\" must be specified")
		case !t.To.IsValid() || t.To.Addr().Is4In6():
			return fmt.Errorf("--to: invalid netip.Prefix %v", t.To)
		}
		t.To = t.To.Masked()
		return nil
	},
	Needs: func(t NetMap) option.Needs {
		return option.Needs{
			Family: t.Family(), Tables: []string{"nat"},
			Chains: []string{"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
		}
	},
	List: func(t NetMap, _ *option.Lister) string { return "to:" + t.To.String() },
	Read: func(r *program.Reader) (t NetMap, ok bool) {
		vals, e := readStored(r)
		n, ok := e.(program.NAT)
		if !ok || n.Flags != rangeNetmap {
			return t, false
		}
		to, ok := vals.addrs(n.AddrMin, n.AddrMax)
		if !ok {
			return t, false
		}
		return netMapOf(to)
	},
	XT: netmapXT(),
}

// netmapXT is the others' with a prefix.
func netmapXT() *option.XT[NetMap] {
	x := natXT(0,
		func(t NetMap) natRange { return natRange{to: t.bounds()} },
		func(n natRange) NetMap {
			t, _ := netMapOf(n.to)
			return t
		})
	decode := x.Decode
	x.Decode = func(rev uint8, info string, env program.Env) (NetMap, bool) {
		t, ok := decode(rev, info, env)
		if !ok || !t.To.IsValid() {
			return t, false
		}
		_, again := x.Encode(t, env)
		return t, again == info
	}
	return x
}

// parsePrefix reads address[/prefix] or address/mask.
func parsePrefix(w string, c option.Context) (netip.Prefix, error) {
	host, mask, masked := strings.Cut(w, "/")
	a, err := parseHost(host, c.Family)
	if err != nil || !masked {
		return netip.PrefixFrom(a, a.BitLen()), err
	}
	bad := fmt.Errorf("neither a valid network mask nor valid CIDR (0-%d): %q", a.BitLen(), mask)
	if n, err := option.Uint(mask, 0, uint64(a.BitLen())); err == nil {
		return netip.PrefixFrom(a, int(n)), nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || m.BitLen() != a.BitLen() {
		return netip.Prefix{}, bad
	}
	net := nf.Masked(a, m)
	p, ok := net.Prefix()
	if net.Err() != nil || !ok {
		return netip.Prefix{}, bad
	}
	return p, nil
}

// bounds are the network's first and last address.
func (t NetMap) bounds() nf.Addrs {
	first := t.To.Masked().Addr()
	last := first.AsSlice()
	for i := t.To.Bits(); i < len(last)*8; i++ {
		last[i/8] |= 0x80 >> (i % 8)
	}
	hi, _ := netip.AddrFromSlice(last)
	return nf.AddrRange(first, hi)
}

// netMapOf is bounds' inverse; ok is false where they are no network's.
func netMapOf(to nf.Addrs) (t NetMap, ok bool) {
	lo, hi := to.Bounds()
	if !lo.IsValid() {
		return t, false
	}
	t.To = netip.PrefixFrom(lo, commonBits(lo, hi))
	return t, t.bounds() == to
}

// commonBits is how many bits two addresses begin with alike.
func commonBits(a, b netip.Addr) (n int) {
	x, y := a.AsSlice(), b.AsSlice()
	for i := range x {
		for bit := byte(0x80); bit != 0; bit >>= 1 {
			if x[i]&bit != y[i]&bit {
				return n
			}
			n++
		}
	}
	return n
}

// Compile adds the nat expression of the chain's direction, or xt_NETMAP.
func (t NetMap) Compile(a program.Action) error {
	dest := false
	switch a.Env.Chain {
	case "PREROUTING", "OUTPUT":
		dest = true
	case "":
		return netmap.Kernel(a.Code, t)
	}
	return compileNAT(a, dest, t.bounds(), nf.Ports{}, rangeNetmap)
}
