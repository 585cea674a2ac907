package xt

import "testing"

// Sizes of targets, as the kernel takes them.
func TestTargetSizesAreTheKernels(t *testing.T) {
	for name, tc := range map[string]struct{ got, want int }{
		"CONNMARK 2": {len(Encode(ConnMark{})), 16},
		"CT 2":       {len(Encode(CT{})), 72},
		"DNAT 2":     {len(Encode(NATRange2{})), 48},
		"TCPMSS 0":   {len(Encode(TCPMSS{})), 8},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, tc.got, tc.want)
		}
	}
}
