package wire

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// nested is NLA_F_NESTED; typeMask takes the flags off an attribute's type.
const (
	nested   = 0x8000
	typeMask = 0x3fff
)

// errLong says that an attribute is longer than its 16-bit length can say.
var errLong = errors.New("longer than a netlink attribute can be")

// writer appends netlink attributes to a buffer. It allocates nothing but the
// buffer; the first error stays.
type writer struct {
	b   []byte
	err error
	set uint32 // the number of the next anonymous set that a rule refers to
}

func (w *writer) head(typ uint16, n int) {
	if n > math.MaxUint16-4 {
		w.err = errLong
		n = 0
	}
	w.b = binary.NativeEndian.AppendUint16(w.b, uint16(n+4))
	w.b = binary.NativeEndian.AppendUint16(w.b, typ)
}

func (w *writer) pad() {
	for len(w.b)%4 != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *writer) u8(typ uint16, v uint8) {
	w.head(typ, 1)
	w.b = append(w.b, v, 0, 0, 0)
}

func (w *writer) u16(typ uint16, v uint16) {
	w.head(typ, 2)
	w.b = append(w.b, byte(v>>8), byte(v), 0, 0)
}

func (w *writer) u32(typ uint16, v uint32) {
	w.head(typ, 4)
	w.b = binary.BigEndian.AppendUint32(w.b, v)
}

func (w *writer) u64(typ uint16, v uint64) {
	w.head(typ, 8)
	w.b = binary.BigEndian.AppendUint64(w.b, v)
}

// some writes a number that is left out when it is 0.
func (w *writer) some(typ uint16, v uint32) {
	if v != 0 {
		w.u32(typ, v)
	}
}

// str writes a string with its NUL.
func (w *writer) str(typ uint16, s string) {
	w.head(typ, len(s)+1)
	w.b = append(w.b, s...)
	w.b = append(w.b, 0)
	w.pad()
}

// bytes writes a string as it is.
func (w *writer) bytes(typ uint16, s string) {
	w.head(typ, len(s))
	w.b = append(w.b, s...)
	w.pad()
}

// open begins a nested attribute; done ends it.
func (w *writer) open(typ uint16) int {
	at := len(w.b)
	w.head(typ|nested, 0)
	return at
}

func (w *writer) done(at int) {
	n := len(w.b) - at
	if n > math.MaxUint16 {
		w.err = errLong
		return
	}
	binary.NativeEndian.PutUint16(w.b[at:], uint16(n))
}

// value writes {NFTA_DATA_VALUE}, a host-order number in the machine's order.
func (w *writer) value(typ uint16, v program.Value) {
	at := w.open(typ)
	w.head(dataValue, len(v.Data))
	w.order(v.Data, v.Host)
	w.pad()
	w.done(at)
}

// order appends bytes that are most significant first, swapped where they are
// a host-order number and the machine wants the least significant first.
func (w *writer) order(data string, host bool) {
	if !host || !littleEndian {
		w.b = append(w.b, data...)
		return
	}
	for i := len(data) - 1; i >= 0; i-- {
		w.b = append(w.b, data[i])
	}
}

// reg writes a register by the number that the kernel dumps.
func (w *writer) reg(typ uint16, r program.Reg) { w.u32(typ, uint32(register(r))) }

// register is the kernel's number for r: where a register of 16 bytes begins,
// that one's.
func register(r program.Reg) program.Reg {
	if r >= 8 && r <= 23 && r%4 == 0 {
		return r/4 - 1
	}
	return r
}

// littleEndian says how this machine keeps numbers.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// swapped is data in the other order, where the machine has another order.
func swapped(data string) string {
	if !littleEndian {
		return data
	}
	b := []byte(data)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
