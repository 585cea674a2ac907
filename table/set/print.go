package set

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/option"
	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// String is the element's key as ipset writes it: "10.0.0.0/24,tcp,80",
// "10.0.0.1-10.0.0.9"; "?" for a bad one.
func (e Element) String() string {
	if e.Err() != nil {
		return "?"
	}
	return string(e.append(nil))
}

// append appends the key's text.
func (e Element) append(b []byte) []byte {
	if e.key.single() {
		return appendField(b, e.key, e.lo, e.hi)
	}
	at := 0
	for i, k := range e.key.Fields() {
		if i > 0 {
			b = append(b, ',')
		}
		n := k.Type(e.family).Len()
		b = appendField(b, k, e.lo[at:at+n], e.hi[at:at+n])
		at += program.Padded(n)
	}
	return b
}

func appendField(b []byte, k Key, lo, hi string) []byte {
	switch k {
	case Addrs, Nets:
		return appendRange(b, lo, hi)
	case Ports:
		return strconv.AppendUint(b, uint64(number(lo)), 10)
	case Protos:
		return append(b, nf.Protocol(lo[0]).String()...)
	case Ifaces:
		return append(b, strings.TrimRight(lo, "\x00")...)
	}
	return append(b, fmt.Sprintf("0x%08x", number(lo))...)
}

// appendRange is an address, a prefix where lo to hi is one, or both bounds.
func appendRange(b []byte, lo, hi string) []byte {
	first, _ := netip.AddrFromSlice([]byte(lo))
	b = first.AppendTo(b)
	if lo == hi {
		return b
	}
	last, _ := netip.AddrFromSlice([]byte(hi))
	if bits, ok := prefixBits(lo, hi); ok {
		return strconv.AppendInt(append(b, '/'), int64(bits), 10)
	}
	return last.AppendTo(append(b, '-'))
}

// prefixBits is the length of the prefix that lo to hi is.
func prefixBits(lo, hi string) (bits int, ok bool) {
	free := false
	for i := range len(lo) {
		for bit := 7; bit >= 0; bit-- {
			l, h := lo[i]>>bit&1, hi[i]>>bit&1
			switch {
			case l == h && free:
				return 0, false
			case l == h:
				bits++
			case l == 1: // and h is 0
				return 0, false
			default:
				free = true
			}
		}
	}
	return bits, true
}

// ParseElement reads what String writes, for a set of that key: addresses with or
// without a prefix, or two with a dash; numbers of ports; names or numbers of
// protocols; names of interfaces; numbers of marks.
func ParseElement(text string, k Key) (Element, error) {
	fields := k.Fields()
	words := strings.Split(text, ",")
	if len(words) != len(fields) || fields == nil {
		return Element{}, fmt.Errorf("%w of %v: %q", ErrElement, k, text)
	}
	parts := make([]Element, len(words))
	for i, w := range words {
		p, err := parseField(w, fields[i])
		if err != nil {
			return Element{}, fmt.Errorf("%w of %v: %q: %w", ErrElement, k, text, err)
		}
		parts[i] = p
	}
	e := Join(parts...)
	return e, errors.Join(e.Err(), e.Fits(k, nf.Both))
}

func parseField(w string, k Key) (Element, error) {
	switch k {
	case Addrs, Nets:
		return parseNet(w)
	case Ports:
		n, err := option.Uint(w, 0, 0xffff)
		return Port(uint16(n)), err
	case Protos:
		if p, ok := nf.ParseProtocol(w); ok {
			return Proto(p), nil
		}
		n, err := option.Uint(w, 0, 0xff)
		return Proto(nf.Protocol(n)), err
	case Ifaces:
		e := Iface(w)
		return e, e.Err()
	}
	n, err := option.Uint(w, 0, 0xffffffff)
	return Mark(uint32(n)), err
}

// parseNet reads an address, a prefix or a range.
func parseNet(w string) (e Element, err error) {
	lo, hi, isRange := strings.Cut(w, "-")
	switch {
	case isRange:
		var a, b netip.Addr
		if a, err = netip.ParseAddr(lo); err == nil {
			b, err = netip.ParseAddr(hi)
		}
		e = Range(a, b)
	case strings.Contains(w, "/"):
		var p netip.Prefix
		p, err = netip.ParsePrefix(w)
		e = Net(p)
	default:
		var a netip.Addr
		a, err = netip.ParseAddr(w)
		e = Net(a)
	}
	if err != nil {
		return Element{}, err
	}
	return e, e.Err()
}

// seconds is a time in whole seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
