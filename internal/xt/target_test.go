package xt

import "testing"

// Sizes of targets, as the kernel takes them.
func TestTargetSizesAreTheKernels(t *testing.T) {
	for name, tc := range map[string]struct{ got, want int }{
		"CONNMARK 2":    {len(Encode(ConnMark{})), 16},
		"CT 2":          {len(Encode(CT{})), 72},
		"DNAT 2":        {len(Encode(NATRange2{})), 48},
		"TCPMSS 0":      {len(Encode(TCPMSS{})), 8},
		"MARK 2":        {len(Encode(MarkTarget{})), 8},
		"REJECT 0":      {len(Encode(Reject{})), 8},
		"SNAT 0":        {len(Encode(NATRange4{})), 24},
		"SNAT 1":        {len(Encode(NATRange{})), 40},
		"AUDIT 0":       {len(Encode(Audit{})), 8},
		"CHECKSUM 0":    {len(Encode(Checksum{})), 8},
		"CLASSIFY 0":    {len(Encode(Classify{})), 8},
		"DSCP 0":        {len(Encode(DSCPTarget{})), 8},
		"TOS 1":         {len(Encode(TOSTarget{})), 8},
		"ECN 0":         {len(Encode(ECNTarget{})), 8},
		"TTL 0":         {len(Encode(TTLTarget{})), 8},
		"NFQUEUE 3":     {len(Encode(NFQueue{})), 8},
		"TEE 1":         {len(Encode(Tee{})), 40},
		"TCPOPTSTRIP 0": {len(Encode(TCPOptStrip{})), 32},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, tc.got, tc.want)
		}
	}
}
