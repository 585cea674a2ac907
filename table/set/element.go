package set

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/gatehouse-fw/gatehouse/internal/program"
	"github.com/gatehouse-fw/gatehouse/rule/match"
	"github.com/gatehouse-fw/gatehouse/rule/nf"
)

// Element is one element; an immutable, comparable value, made by Net, Range,
// Port, Proto, Iface, Mark or Join. The zero value is none, and an error where it
// is used, as is one that was made of nonsense.
type Element struct {
	key      Key       // Addrs for one address, Nets for more
	family   nf.Family // of its addresses; Both: it has none
	timed    bool      // it has a timeout of its own
	lo, hi   string    // the first and last key as a set holds it, fields padded
	timeout  time.Duration
	left     time.Duration
	counters nf.Counters
	comment  string
	err      string
}

// ErrElement is the reason of an element that was not made of anything usable, or
// is not what the set's key says; tested with errors.Is.
var ErrElement = errors.New("not an element")

func bad(format string, args ...any) Element { return Element{err: fmt.Sprintf(format, args...)} }

// Net is an address or a prefix; 4-in-6 addresses become IPv4. A mask with holes is
// an error where the element is used.
func Net[N nf.Network](n N) Element {
	if p, ok := any(n).(netip.Prefix); ok && p.IsValid() && p.Bits() == p.Addr().BitLen() {
		return Range(p.Addr(), p.Addr())
	}
	if a, ok := any(n).(netip.Addr); ok {
		return Range(a, a)
	}
	net := nf.NetOf(n)
	if err := net.Err(); err != nil {
		return bad("%v", err)
	}
	if _, ok := net.Prefix(); !ok {
		return bad("%v is no prefix", net)
	}
	lo, mask := net.Addr().AsSlice(), net.Mask().AsSlice()
	hi := make([]byte, len(lo))
	for i := range lo {
		hi[i] = lo[i] | ^mask[i]
	}
	return addresses(string(lo), string(hi))
}

// Range is lo to hi, both included, of one family.
func Range(lo, hi netip.Addr) Element {
	a := nf.AddrRange(lo, hi)
	if err := a.Err(); err != nil {
		return bad("%v", err)
	}
	lo, hi = a.Bounds()
	if lo == hi {
		s := string(lo.AsSlice())
		return addresses(s, s)
	}
	return addresses(string(lo.AsSlice()), string(hi.AsSlice()))
}

func addresses(lo, hi string) Element {
	e := Element{key: Nets, family: nf.IPv4, lo: lo, hi: hi}
	if lo == hi {
		e.key = Addrs
	}
	if len(lo) == 16 {
		e.family = nf.IPv6
	}
	return e
}

// field is an element of one key.
func field(k Key, key string) Element { return Element{key: k, lo: key, hi: key} }

// Port is a port.
func Port(p uint16) Element { return field(Ports, program.Net16(p).Data) }

// Proto is a protocol.
func Proto(p nf.Protocol) Element { return field(Protos, string([]byte{byte(p)})) }

// Mark is a packet mark.
func Mark(v uint32) Element { return field(Marks, program.Net32(v).Data) }

// Iface is an interface by its whole name.
func Iface(name string) Element {
	if err := match.In(name).Err(); err != nil {
		return bad("%q is no interface name", name)
	}
	return field(Ifaces, program.IfName(name).Data)
}

// Join concatenates elements: Join(Net(a), Proto(nf.TCP), Port(80)). Timeouts,
// comments and counters are the whole element's, not its parts'.
func Join(parts ...Element) Element {
	if len(parts) == 1 {
		return parts[0].bare()
	}
	var out Element
	keys := make([]Key, 0, maxFields)
	var lo, hi strings.Builder
	for _, p := range parts {
		switch f, ok := out.family.And(p.family); {
		case p.Err() != nil:
			return bad("%s", p.Err())
		case !ok:
			return bad("addresses of two families in one element")
		default:
			out.family = f
		}
		keys = append(keys, p.key)
		pad(&lo, p.lo)
		pad(&hi, p.hi)
	}
	out.key = Tuple(keys...)
	out.lo, out.hi = lo.String(), hi.String()
	if err := out.key.Err(); err != nil {
		return bad("%v", err)
	}
	return out
}

// pad appends a field as a concatenation has it.
func pad(b *strings.Builder, key string) {
	b.WriteString(key)
	for n := len(key); n%4 != 0; n++ {
		b.WriteByte(0)
	}
}

// bare is the element's key alone.
func (e Element) bare() Element {
	return Element{key: e.key, family: e.family, lo: e.lo, hi: e.hi, err: e.err}
}

// For is the element with its own timeout, rounded up to whole seconds; 0: it
// stays, though its set has a timeout.
func (e Element) For(d time.Duration) Element {
	if d < 0 || d > maxTimeout {
		return bad("%v: %v", ErrTimeout, d)
	}
	e.timed, e.timeout, e.left = true, (d+time.Second-1)/time.Second*time.Second, 0
	return e
}

// maxComment is how long a comment may be: what nft can load again.
const maxComment = 128

// Comment is the element with a comment, which nft prints too: up to 128 bytes
// without quotes and control characters. "" is none.
func (e Element) Comment(s string) Element {
	if len(s) > maxComment || strings.ContainsFunc(s, func(r rune) bool { return r == '"' || r < ' ' || r == 0x7f }) {
		return bad("comment %.40q: up to %d bytes, without quotes and control characters", s, maxComment)
	}
	e.comment = s
	return e
}

// WithCounters is the element with preset counters. They are for elements that are
// new in a set that counts.
func (e Element) WithCounters(c nf.Counters) Element {
	e.counters = c
	return e
}

// Expires is the element as it is when that much of its timeout is left, rounded up to
// milliseconds; 0: all of it. For what is to be put back as it was.
func (e Element) Expires(left time.Duration) Element {
	if left < 0 || left > maxTimeout {
		return bad("%v: %v", ErrTimeout, left)
	}
	e.left = (left + time.Millisecond - 1) / time.Millisecond * time.Millisecond
	return e
}

// Timeout is the element's own timeout; ok is false where the set's counts.
func (e Element) Timeout() (d time.Duration, ok bool) { return e.timeout, e.timed }

// Left is the time until the element goes, as read; zero: it stays, or was not read.
func (e Element) Left() time.Duration { return e.left }

// Counters are what the kernel counted.
func (e Element) Counters() nf.Counters { return e.counters }

// Text is the element's comment.
func (e Element) Text() string { return e.comment }

// Family is that of the element's addresses; Both: it has none.
func (e Element) Family() nf.Family { return e.family }

// Key is what the element is made of: Addrs where it is one address, Nets where it
// is more.
func (e Element) Key() Key { return e.key }

// Err says why the element cannot be used.
func (e Element) Err() error {
	switch {
	case e.err != "":
		return fmt.Errorf("%w: %s", ErrElement, e.err)
	case e.key == 0:
		return fmt.Errorf("%w: nothing given", ErrElement)
	}
	return nil
}

// Fits says why the element cannot be one of a set with that key, in a table for
// family f.
func (e Element) Fits(k Key, f nf.Family) error {
	if err := e.Err(); err != nil {
		return err
	}
	if e.key != k {
		mine, want := e.key.Fields(), k.Fields()
		ok := len(mine) == len(want)
		for i := range want {
			ok = ok && (mine[i] == want[i] || mine[i] == Addrs && want[i] == Nets)
		}
		if !ok {
			return fmt.Errorf("%w of %v: %v", ErrElement, k, e)
		}
	}
	if _, ok := e.family.And(f); !ok {
		return fmt.Errorf("%w: %v is %v, in a table for %v", ErrElement, e, e.family, f)
	}
	return nil
}

// Same says whether two elements have the same key, whatever else they say.
func (e Element) Same(o Element) bool { return e.lo == o.lo && e.hi == o.hi && e.family == o.family }

// Equal says whether two elements have the same key, timeout and comment. Counters
// and the time left are not looked at.
func (e Element) Equal(o Element) bool {
	return e.Same(o) && e.timed == o.timed && e.timeout == o.timeout && e.comment == o.comment
}

// Bounds are the first and last key as a set holds it, most significant byte first.
// For the pipeline, not for callers.
func (e Element) Bounds() (lo, hi string) { return e.lo, e.hi }

// Read is the element of a set with that key that has those bounds. For the
// pipeline, not for callers.
func Read(k Key, f nf.Family, lo, hi string) Element {
	e := Element{key: k, lo: lo, hi: hi}
	if k.Addressed() {
		e.family = f
	}
	if lo == hi && k.Has(Nets) {
		e.key = single(k)
	} else if k.single() && k == Addrs && lo != hi {
		e.key = Nets
	}
	return e
}

// single is a key with Addrs in the place of Nets.
func single(k Key) Key {
	fields := k.Fields()
	for i, f := range fields {
		if f == Nets {
			fields[i] = Addrs
		}
	}
	return Tuple(fields...)
}

// number reads a key of up to 4 bytes.
func number(key string) uint32 {
	var b [4]byte
	copy(b[4-len(key):], key)
	return binary.BigEndian.Uint32(b[:])
}
