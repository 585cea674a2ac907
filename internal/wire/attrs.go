package wire

import (
	"encoding/binary"
	"strings"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// attrs is a row of attributes as received.
type attrs []byte

// next takes the first attribute off; raw is all of it, header and padding
// included. ok is false at the end, and where what follows is no attribute.
func (a *attrs) next() (typ uint16, val, raw []byte, ok bool) {
	b := []byte(*a)
	if len(b) < 4 {
		return 0, nil, nil, false
	}
	n := int(binary.NativeEndian.Uint16(b))
	if n < 4 || n > len(b) {
		return 0, nil, nil, false
	}
	end := min((n+3)&^3, len(b))
	*a = b[end:]
	return binary.NativeEndian.Uint16(b[2:]) & typeMask, b[4:n:n], b[:end:end], true
}

// fields is a row of attributes by their numbers; nil: not there.
type fields [24][]byte

// parse sorts attributes. It is false where the bytes are no attributes, one
// is there twice, or a number is beyond every number known here.
func (f *fields) parse(b []byte) bool {
	*f = fields{}
	a := attrs(b)
	for {
		typ, val, _, ok := a.next()
		if !ok {
			return len(a) == 0
		}
		if int(typ) >= len(f) || f[typ] != nil {
			return false
		}
		f[typ] = val
	}
}

// The readers of one field give 0 or "" for what is not there or has another
// length: every expression is encoded again and compared, and what is no
// expression has no better answer.

func (f *fields) u8(i int) uint8 {
	if len(f[i]) != 1 {
		return 0
	}
	return f[i][0]
}

func (f *fields) u16(i int) uint16 {
	if len(f[i]) != 2 {
		return 0
	}
	return binary.BigEndian.Uint16(f[i])
}

func (f *fields) u32(i int) uint32 {
	if len(f[i]) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(f[i])
}

func (f *fields) u64(i int) uint64 {
	if len(f[i]) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(f[i])
}

func (f *fields) reg(i int) program.Reg { return program.Reg(f.u32(i)) }

// str is a string without its NUL.
func (f *fields) str(i int) string { return text(f[i]) }

// value is the bytes in a {NFTA_DATA_VALUE}, as they are.
func (f *fields) value(i int) program.Value {
	a := attrs(f[i])
	typ, val, _, ok := a.next()
	if !ok || typ != dataValue {
		return program.Value{}
	}
	return program.Value{Data: string(val)}
}

// text is a string without its NUL.
func text(b []byte) string { return strings.TrimSuffix(string(b), "\x00") }

// same says whether two rows of attributes are alike but for NLA_F_NESTED. Ours
// was written here, so that its flags say what is nested.
func same(ours, theirs []byte) bool {
	a, b := attrs(ours), attrs(theirs)
	for {
		rest := a
		t, x, _, ok := a.next()
		u, y, _, ok2 := b.next()
		if !ok || !ok2 {
			return ok == ok2 && len(a) == 0 && len(b) == 0
		}
		if t != u {
			return false
		}
		if binary.NativeEndian.Uint16(rest[2:])&nested != 0 {
			if !same(x, y) {
				return false
			}
		} else if string(x) != string(y) {
			return false
		}
	}
}
