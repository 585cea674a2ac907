package option

import "testing"

// What strtoul makes of numbers, with base 0: confirmed by giving them to
// iptables as marks, TTLs and ports.
func TestUint(t *testing.T) {
	for w, want := range map[string]uint64{
		"0": 0, "00": 0, "7": 7, "010": 8, "0x10": 16, "0X1f": 31, "+5": 5, " 5": 5, "\t+0x5": 5,
		"18446744073709551615": 1<<64 - 1,
	} {
		if n, err := Uint(w, 0, 1<<64-1); err != nil || n != want {
			t.Errorf("%q is %d, %v; want %d", w, n, err, want)
		}
	}
	for _, w := range []string{"", "-1", "5 ", "0b1", "0o7", "1_0", "08", "0x", "0xg", "+-1", "++1", "1.0", "18446744073709551616"} {
		if n, err := Uint(w, 0, 1<<64-1); err == nil {
			t.Errorf("%q is %d, want an error", w, n)
		}
	}
	if _, err := Uint("4", 5, 6); err == nil {
		t.Error("4 is from 5 to 6")
	}
	if _, err := Uint("7", 5, 6); err == nil {
		t.Error("7 is from 5 to 6")
	}
}
