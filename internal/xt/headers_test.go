package xt

import "testing"

// The matches of packet headers, their sizes as in TestSizesAreTheKernels.
func TestSizesOfHeaderMatches(t *testing.T) {
	for name, tc := range map[string]struct{ got, want int }{
		"ah, IPv4":   {len(Encode(AH{})), 16},
		"ah, IPv6":   {len(Encode(AH6{})), 16},
		"esp":        {len(Encode(ESP{})), 16},
		"ipcomp":     {len(Encode(IPComp{})), 16},
		"ecn":        {len(Encode(ECN{})), 8},
		"dscp":       {len(Encode(DSCP{})), 8},
		"tos":        {len(Encode(TOS{})), 8},
		"tcpmss":     {len(Encode(SegmentSize{})), 8},
		"rpfilter":   {len(Encode(RPFilter{})), 8},
		"realm":      {len(Encode(Realm{})), 16},
		"dccp":       {len(Encode(DCCP{})), 16},
		"sctp":       {len(Encode(SCTP{})), 296},
		"dst, hbh":   {len(Encode(Options6{})), 40},
		"eui64":      {len(Encode(EUI64{})), 8},
		"frag":       {len(Encode(Frag{})), 16},
		"ipv6header": {len(Encode(IPv6Header{})), 8},
		"mh":         {len(Encode(MH{})), 8},
		"rt":         {len(Encode(RT{})), 280},
		"srh":        {len(Encode(SRH{})), 112},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, tc.got, tc.want)
		}
	}
}
