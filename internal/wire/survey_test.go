package wire

import (
	"encoding/binary"
	"testing"

	"github.com/gatehouse-fw/gatehouse/internal/program"
)

// attr is an attribute's bytes, put together by hand.
func attr(typ uint16, value string) string {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	for b = append(b, value...); len(b)%4 != 0; {
		b = append(b, 0)
	}
	return string(b)
}

func TestAttrs(t *testing.T) {
	got := Attrs(Attr{2, "\x07"}, Attr{6, "\x00\x00\x00\x01"}, Attr{9, ""})
	if want := attr(2, "\x07") + attr(6, "\x00\x00\x00\x01") + attr(9, ""); got != want {
		t.Errorf("% x, want % x", got, want)
	}
}

// The questions are those of libipset and of nft's "list hooks".
func TestQuestions(t *testing.T) {
	for _, tc := range []struct {
		name  string
		bytes []byte
		typ   uint16 // subsystem and message
		flags uint16
		body  string
	}{
		{"a type of ipset", AskIPSetType(7, program.IP, "hash:ip"), 6<<8 | 13, 1, "\x02\x00\x00\x00" +
			attr(1, "\x06") + attr(3, "hash:ip\x00") + attr(5, "\x02")},
		{"hooks", DumpHooks(7, program.IP6, 3), 12 << 8, 0x301, "\x0a\x00\x00\x00" + attr(1, "\x00\x00\x00\x03")},
	} {
		m, rest, ok, err := Next(tc.bytes)
		if !ok || err != nil || len(rest) != 0 {
			t.Fatalf("%s: % x, %v", tc.name, rest, err)
		}
		if m.Type != tc.typ || m.Flags != tc.flags || m.Seq != 7 || string(m.Body) != tc.body {
			t.Errorf("%s: %#x %#x % x, want % x", tc.name, m.Type, m.Flags, m.Body, tc.body)
		}
	}
}
