package program

import (
	"encoding/binary"
	"encoding/hex"
)

// Value is what a register holds: bytes, most significant first. A number that
// the kernel keeps in the machine's order (a mark, a length, a state) has Host
// set and is swapped in package wire, and nowhere else. The zero value is no value.
type Value struct {
	Data string
	Host bool
}

// Bytes is a value in network order: an address, a port, a name.
func Bytes(b ...byte) Value { return Value{Data: string(b)} }

// Net16 is a 16-bit number in network order.
func Net16(v uint16) Value { return Bytes(byte(v>>8), byte(v)) }

// Net32 is a 32-bit number in network order.
func Net32(v uint32) Value { return Value{Data: string(binary.BigEndian.AppendUint32(nil, v))} }

// Host8 is a one-byte number.
func Host8(v uint8) Value { return Bytes(v) }

// Host16 is a 16-bit number in the machine's order.
func Host16(v uint16) Value { return Value{Data: string([]byte{byte(v >> 8), byte(v)}), Host: true} }

// Host32 is a 32-bit number in the machine's order.
func Host32(v uint32) Value {
	return Value{Data: string(binary.BigEndian.AppendUint32(nil, v)), Host: true}
}

// Host64 is a 64-bit number in the machine's order.
func Host64(v uint64) Value {
	return Value{Data: string(binary.BigEndian.AppendUint64(nil, v)), Host: true}
}

// Uint reads the value as a number; ok is false for more than 8 bytes or none.
func (v Value) Uint() (n uint64, ok bool) {
	if len(v.Data) == 0 || len(v.Data) > 8 {
		return 0, false
	}
	for _, b := range []byte(v.Data) {
		n = n<<8 | uint64(b)
	}
	return n, true
}

// Zero says whether every byte is 0.
func (v Value) Zero() bool {
	for _, b := range []byte(v.Data) {
		if b != 0 {
			return false
		}
	}
	return true
}

// String is the bytes in hexadecimal, with "h" before a host-order number.
func (v Value) String() string {
	if v.Host {
		return "h" + hex.EncodeToString([]byte(v.Data))
	}
	return hex.EncodeToString([]byte(v.Data))
}

// IfName is an interface name as a register holds it: 16 bytes, padded, so that
// "lo" is not also the beginning of "lo1".
func IfName(name string) Value {
	b := make([]byte, 16)
	copy(b, name)
	return Value{Data: string(b)}
}
