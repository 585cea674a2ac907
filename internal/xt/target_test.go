package xt

import "testing"

// Sizes of targets, as the kernel takes them.
func TestTargetSizesAreTheKernels(t *testing.T) {
	for name, tc := range map[string]struct{ got, want int }{
		"CONNMARK 2": {len(Encode(ConnMark{})), 16},
		"CT 2":       {len(Encode(CT{})), 72},
		"DNAT 2":     {len(Encode(NATRange2{})), 48},
		"TCPMSS 0":   {len(Encode(TCPMSS{})), 8},
		"MARK 2":     {len(Encode(MarkTarget{})), 8},
		"REJECT 0":   {len(Encode(Reject{})), 8},
		"SNAT 0":     {len(Encode(NATRange4{})), 24},
		"SNAT 1":     {len(Encode(NATRange{})), 40},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, tc.got, tc.want)
		}
	}
}
