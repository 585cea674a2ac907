package wire

import (
	"bytes"
	"encoding/binary"
	"testing"

	p "github.com/gatehouse-fw/gatehouse/internal/program"
)

// The bytes are what `ipset` and the kernel exchange (strace -e sendmsg,recvmsg),
// for a little-endian machine's headers written in its own order.
func TestAskIPSet(t *testing.T) {
	head := func(n int, typ uint16) []byte {
		b := binary.NativeEndian.AppendUint32(nil, uint32(n))
		b = binary.NativeEndian.AppendUint16(b, typ)
		b = binary.NativeEndian.AppendUint16(b, 1) // NLM_F_REQUEST
		b = binary.NativeEndian.AppendUint32(b, 7)
		return append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	attr := func(typ uint16, val ...byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(val)))
		b = append(binary.NativeEndian.AppendUint16(b, typ), val...)
		return append(b, make([]byte, -len(b)&3)...)
	}
	for _, tc := range []struct {
		name      string
		got, want []byte
	}{
		{"by name", AskIPSet(7, "foo"), bytes.Join([][]byte{head(36, 6<<8|14), attr(1, 7), attr(2, 'f', 'o', 'o', 0)}, nil)},
		{"by number", AskIPSetName(7, 0x102), bytes.Join([][]byte{head(36, 6<<8|15), attr(1, 7), attr(0x4000|11, 1, 2)}, nil)},
	} {
		if !bytes.Equal(tc.got, tc.want) {
			t.Errorf("%s:\n     %x\nwant %x", tc.name, tc.got, tc.want)
		}
	}
	answer := Message{Body: bytes.Join([][]byte{{0, 0, 0, 0}, attr(1, 7), attr(5, 2), attr(0x4000|11, 0, 3)}, nil)}
	if got, err := DecodeIPSet(answer); err != nil || got != (IPSet{Index: 3, Family: 2}) {
		t.Errorf("%+v, %v", got, err)
	}
	answer = Message{Body: bytes.Join([][]byte{{0, 0, 0, 0}, attr(1, 7), attr(2, 'a', 0)}, nil)}
	if got, err := DecodeIPSet(answer); err != nil || got != (IPSet{Name: "a"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := DecodeIPSet(Message{Body: append([]byte{0, 0, 0, 0}, attr(1, 7)...)}); err == nil {
		t.Error("an answer without an answer was read")
	}
}

// A name never goes to the kernel in a number's place.
func TestNamesOfIPSetsHaveNoBytes(t *testing.T) {
	for _, e := range []p.Expr{
		p.XTMatch{Name: "set", Rev: 4, Info: string(make([]byte, 48)), IPSets: "foo"},
		p.XTTarget{Name: "SET", Rev: 3, Info: string(make([]byte, 24)), IPSets: "\x00foo\x00"},
	} {
		if _, _, err := EncodeExpr(e); err == nil {
			t.Errorf("%v was encoded", e)
		}
	}
}

func FuzzDecodeIPSet(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 5, 0, 1, 0, 7, 0, 0, 0, 5, 0, 5, 0, 2, 0, 0, 0, 6, 0, 11, 0x40, 0, 3, 0, 0})
	f.Add([]byte{0, 0, 0, 0, 5, 0, 1, 0, 7, 0, 0, 0, 6, 0, 2, 0, 'a', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = DecodeIPSet(Message{Body: b})
	})
}
