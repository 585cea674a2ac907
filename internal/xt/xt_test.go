package xt

import (
	"encoding/binary"
	"testing"
)

// Sizes are those of the kernel's structs rounded up to 8 (what the kernel takes).
func TestSizesAreTheKernels(t *testing.T) {
	for name, tc := range map[string]struct{ got, want int }{
		"multiport": {len(Encode(Multiport{})), 48},
		"tcp":       {len(Encode(TCP{})), 16},
		"conntrack": {len(Encode(Conntrack{})), 168},
		"addrtype":  {len(Encode(AddrType{})), 8},
		"owner":     {len(Encode(Owner{})), 24},
		"statistic": {len(Encode(Statistic{})), 24},
		"mark":      {len(Encode(Mark{})), 16},
		"LOG":       {len(Encode(Log{})), 32},
		"hl":        {len(Encode(HL{})), 8},
		"icmp":      {len(Encode(ICMP{})), 8},
		"iprange":   {len(Encode(IPRange{})), 72},
		"length":    {len(Encode(Length{})), 8},
		"mac":       {len(Encode(MAC{})), 16},
		"pkttype":   {len(Encode(PktType{})), 8},
		"udp":       {len(Encode(UDP{})), 16},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, tc.got, tc.want)
		}
	}
}

func TestDecodeUndoesEncode(t *testing.T) {
	in := TCP{Sport: [2]uint16{1, 2}, Dport: [2]uint16{0, 65535}, Option: 5, Invert: TCPInvertOption}
	s := Encode(in)
	if out, ok := Decode[TCP](s); !ok || out != in {
		t.Errorf("got %+v, %t", out, ok)
	}
	if got := binary.NativeEndian.Uint16([]byte(s[2:])); got != 2 {
		t.Errorf("the second port is %d, want 2", got)
	}
	for _, bad := range []string{"", s[:8], s + s, s[:15] + "x"} {
		if _, ok := Decode[TCP](bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}
