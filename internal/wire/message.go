package wire

import (
	"encoding/binary"
	"errors"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// headerLen is the length of a netlink header, genLen of the nfgenmsg after it.
const (
	headerLen = 16
	genLen    = 4
)

// ErrShort says that bytes which should be a message are not one.
var ErrShort = errors.New("malformed netlink message")

// Message is one netlink message as received; Body is what follows its header.
type Message struct {
	Type  uint16
	Flags uint16
	Seq   uint32
	PID   uint32
	Body  []byte
}

// Next takes the first message off a datagram. ok is false at its end; err is
// ErrShort where what is left is no message.
func Next(b []byte) (m Message, rest []byte, ok bool, err error) {
	if len(b) == 0 {
		return m, nil, false, nil
	}
	if len(b) < headerLen {
		return m, nil, false, ErrShort
	}
	n := binary.NativeEndian.Uint32(b)
	if n < headerLen || uint64(n) > uint64(len(b)) {
		return m, nil, false, ErrShort
	}
	m = Message{
		Type: binary.NativeEndian.Uint16(b[4:]), Flags: binary.NativeEndian.Uint16(b[6:]),
		Seq: binary.NativeEndian.Uint32(b[8:]), PID: binary.NativeEndian.Uint32(b[12:]),
		Body: b[headerLen:n:n],
	}
	return m, b[min((int(n)+3)&^3, len(b)):], true, nil
}

// Family is the family of an nf_tables message.
func (m Message) Family() program.Family {
	if len(m.Body) < genLen {
		return 0
	}
	return program.Family(m.Body[0])
}

// parse sorts the attributes of an nf_tables message.
func (m Message) parse(f *fields) error {
	if len(m.Body) < genLen || !f.parse(m.Body[genLen:]) {
		return ErrShort
	}
	return nil
}

// Errno is the positive number of the error that a TypeError or TypeDone message
// carries; 0 is success.
func (m Message) Errno() int {
	if len(m.Body) < 4 {
		return 0
	}
	return -int(int32(binary.NativeEndian.Uint32(m.Body)))
}

// message begins a message; end completes it.
func (w *writer) message(typ, flags uint16, seq uint32, family program.Family, resource uint16) int {
	at := len(w.b)
	w.b = binary.NativeEndian.AppendUint32(w.b, 0)
	w.b = binary.NativeEndian.AppendUint16(w.b, typ)
	w.b = binary.NativeEndian.AppendUint16(w.b, flags|flagRequest)
	w.b = binary.NativeEndian.AppendUint32(w.b, seq)
	w.b = binary.NativeEndian.AppendUint32(w.b, 0)
	w.b = append(w.b, byte(family), 0, byte(resource>>8), byte(resource))
	return at
}

func (w *writer) end(at int) {
	binary.NativeEndian.PutUint32(w.b[at:], uint32(len(w.b)-at))
}
