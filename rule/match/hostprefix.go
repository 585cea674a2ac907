package match

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// hostPrefix is a codec for an address with an optional prefix whose bits behind
// it stay as they are, as xtables' parser has it. A mask that is no prefix, which
// iptables takes for the whole address, is refused.
var hostPrefix = option.Codec[netip.Prefix]{
	Want: "an address, with /prefix",
	Parse: func(w string, c option.Context) (p netip.Prefix, err error) {
		host, _, _ := strings.Cut(w, "/")
		a, err := option.ParseAddr(host, c.Family)
		if err != nil {
			return p, err
		}
		n, err := option.ParseNet(w, c.Family)
		if err != nil {
			return p, err
		}
		masked, ok := n.Prefix()
		if !ok {
			return p, fmt.Errorf("the mask of %q is no prefix", w)
		}
		return netip.PrefixFrom(a, masked.Bits()), nil
	},
	Print: func(p netip.Prefix, _ nf.Family) string { return printHost(p) },
}

// printHost is "10.0.0.1" or "10.0.0.0/8".
func printHost(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// checkHost brings 4-in-6 to IPv4, and refuses what is no prefix.
func checkHost(o *Opt[netip.Prefix]) error {
	if !o.ok {
		return nil
	}
	if a := o.v.Addr(); a.Is4In6() && o.v.Bits() >= 96 {
		o.v = netip.PrefixFrom(a.Unmap(), o.v.Bits()-96)
	}
	if !o.v.IsValid() {
		return fmt.Errorf("%v is no address", o.v)
	}
	return nil
}

// hostBytes are an address and its mask as xtables lays them out: all 16 bytes of
// mask for a whole address.
func hostBytes(p netip.Prefix) (addr, mask [16]byte) {
	copy(addr[:], p.Addr().AsSlice())
	bits := max(p.Bits(), 0)
	if p.IsSingleIP() {
		bits = 128
	}
	return addr, prefixMask(uint8(bits))
}

// readHost reads hostBytes' prefix; whether it is what was read is the caller's to
// see.
func readHost(addr, mask [16]byte, v6 bool) netip.Prefix {
	bits, _ := maskLength(mask[:])
	if v6 {
		return netip.PrefixFrom(netip.AddrFrom16(addr), int(bits))
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte(addr[:])), min(int(bits), 32))
}

// hostFamily is the family of the first of some prefixes that is there.
func hostFamily(hosts ...Opt[netip.Prefix]) nf.Family {
	for _, o := range hosts {
		if p, _, ok := o.Get(); ok {
			return nf.FamilyOf(p.Addr())
		}
	}
	return nf.Both
}
