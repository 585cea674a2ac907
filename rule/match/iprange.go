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

// IPRange is -m iprange: ranges of addresses. The zero value is an error. IPv4
// and IPv6.
//
//	[!] --src-range address[-address]  [!] --dst-range address[-address]
//
// It is native: a range of the address in the network header. One address is a
// range too, so that it is told from -s and -d. Both options in one match leave
// a note, which tells them from two matches. In the tables that are shared with
// iptables-nft it is xt_iprange. It mirrors net/netfilter/xt_iprange.c.
//
// Unlike iptables 1.8.9 a range that runs backward is refused.
type IPRange struct {
	Src Opt[nf.Addrs] // --src-range
	Dst Opt[nf.Addrs] // --dst-range
}

const iprangeName = "iprange"

// Name is "iprange".
func (IPRange) Name() string { return iprangeName }

func (IPRange) ext() option.Extension { return iprange }

var iprange = &option.Spec[IPRange]{
	Name: iprangeName,
	Rows: []option.Row[IPRange]{
		opt("--src-range", func(m *IPRange) *Opt[nf.Addrs] { return &m.Src }, addrRange),
		opt("--dst-range", func(m *IPRange) *Opt[nf.Addrs] { return &m.Dst }, addrRange),
	},
	Check: func(m *IPRange, _ option.Context) error {
		src, _, from := m.Src.Get()
		dst, _, to := m.Dst.Get()
		if !from && !to {
			return errors.New("you must specify `--src-range' or `--dst-range'")
		}
		if err := errors.Join(valid(m.Src), valid(m.Dst)); err != nil {
			return err
		}
		if from && to && src.Family() != dst.Family() {
			return fmt.Errorf("%v and %v exclude each other", src.Family(), dst.Family())
		}
		return nil
	},
	Needs: func(m IPRange) option.Needs { return option.Needs{Family: m.family()} },
	List: func(m IPRange, _ *option.Lister) string {
		var words []string
		if a, not, ok := m.Src.Get(); ok {
			words = append(words, "source IP range "+blank(not)+printRange(a))
		}
		if a, not, ok := m.Dst.Get(); ok {
			words = append(words, "destination IP range "+blank(not)+printRange(a))
		}
		return strings.Join(words, " ")
	},
	Read: readIPRange,
	XT:   option.XTStruct(option.XT[IPRange]{}, 1, IPRange.blob, readIPRangeBlob),
}

func (m IPRange) family() nf.Family {
	if a, _, ok := m.Src.Get(); ok {
		return a.Family()
	}
	a, _, _ := m.Dst.Get()
	return a.Family()
}

// addrRange is a codec for one address or two.
var addrRange = option.Codec[nf.Addrs]{
	Want: "an address, or a range address-address",
	Parse: func(w string, c option.Context) (nf.Addrs, error) {
		first, last, ranged := strings.Cut(w, "-")
		lo, err := option.ParseAddr(first, c.Family)
		if err != nil || !ranged {
			return nf.Addr(lo), err
		}
		hi, err := option.ParseAddr(last, c.Family)
		if err != nil {
			return nf.Addrs{}, err
		}
		a := nf.AddrRange(lo, hi)
		return a, a.Err()
	},
	Print: func(a nf.Addrs, _ nf.Family) string { return printRange(a) },
}

// printRange is the range with both bounds, equal or not.
func printRange(a nf.Addrs) string {
	lo, hi := a.Bounds()
	return lo.String() + "-" + hi.String()
}

// Compile compares the addresses.
func (m IPRange) Compile(c *program.Code) error {
	for i, o := range [...]Opt[nf.Addrs]{m.Src, m.Dst} {
		if a, not, ok := o.Get(); ok {
			c.Test(rangeTest(i == 1, not, a))
		}
	}
	if m.Src.Given() && m.Dst.Given() {
		c.Is(iprangeName)
	}
	return nil
}

func rangeTest(dest, not bool, a nf.Addrs) program.Test {
	offset, length := addressField(a.Family(), dest)
	lo, hi := a.Bounds()
	t := program.Test{
		Load: program.Payload{Base: program.Network, Offset: offset, Len: length},
		Op:   program.Within, A: program.Bytes(lo.AsSlice()...), B: program.Bytes(hi.AsSlice()...),
	}
	if not {
		t.Op = program.Outside
	}
	return t
}

// readIPRange reads one range, or under the note source and destination.
func readIPRange(r *program.Reader) (m IPRange, ok bool) {
	if r.Env.Both() {
		return m, false
	}
	first, _ := r.Test(0)
	if r.Is() == iprangeName {
		second, _ := r.Test(1)
		src, ok1 := readRange(first, false, r.Env)
		dst, ok2 := readRange(second, true, r.Env)
		if !ok1 || !ok2 {
			return m, false
		}
		r.Take(2)
		return IPRange{Src: src, Dst: dst}, true
	}
	if m.Src, ok = readRange(first, false, r.Env); !ok {
		m.Src = Opt[nf.Addrs]{}
		m.Dst, ok = readRange(first, true, r.Env)
	}
	if ok {
		r.Take(1)
	}
	return m, ok
}

func readRange(t program.Test, dest bool, env program.Env) (o Opt[nf.Addrs], ok bool) {
	lo, ok1 := netip.AddrFromSlice([]byte(t.A.Data))
	hi, ok2 := netip.AddrFromSlice([]byte(t.B.Data))
	if !ok1 || !ok2 || lo.Is4() != env.V4() {
		return o, false
	}
	a := nf.AddrRange(lo, hi)
	return isOrNot(t.Not(), a), a.Err() == nil && t == rangeTest(dest, t.Not(), a)
}

// blob is the match as xt_iprange takes it.
func (m IPRange) blob(program.Env) (b xtables.IPRange) {
	add := func(o Opt[nf.Addrs], lo, hi *[16]byte, bit, invert uint8) {
		a, not, ok := o.Get()
		if !ok {
			return
		}
		first, last := a.Bounds()
		copy(lo[:], first.AsSlice())
		copy(hi[:], last.AsSlice())
		b.Flags |= bit
		if not {
			b.Flags |= invert
		}
	}
	add(m.Src, &b.SourceMin, &b.SourceMax, xtables.IPRangeSource, xtables.IPRangeInvertSource)
	add(m.Dst, &b.DestMin, &b.DestMax, xtables.IPRangeDest, xtables.IPRangeInvertDest)
	return b
}

// readIPRangeBlob is blob's inverse. The family of the addresses is the table's.
func readIPRangeBlob(b xtables.IPRange, env program.Env) (m IPRange, ok bool) {
	length := 4
	if env.V6() {
		length = 16
	}
	read := func(lo, hi [16]byte, bit, invert uint8) (o Opt[nf.Addrs]) {
		if b.Flags&bit != 0 {
			first, _ := netip.AddrFromSlice(lo[:length])
			last, _ := netip.AddrFromSlice(hi[:length])
			o = isOrNot(b.Flags&invert != 0, nf.AddrRange(first, last))
		}
		return o
	}
	m.Src = read(b.SourceMin, b.SourceMax, xtables.IPRangeSource, xtables.IPRangeInvertSource)
	m.Dst = read(b.DestMin, b.DestMax, xtables.IPRangeDest, xtables.IPRangeInvertDest)
	return m, !env.Both() && m.blob(env) == b
}
