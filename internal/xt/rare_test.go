package xt

import "testing"

// Targets of marks, proxies, lights and rates, and the matches that go with them:
// their sizes as in TestSizesAreTheKernels.
func TestSizesOfRarerStructs(t *testing.T) {
	for name, tc := range map[string]struct{ got, want int }{
		"CONNSECMARK": {len(Encode(ConnSecMark{})), 8},
		"SECMARK 1":   {len(Encode(SecMark{})), 264},
		"SYNPROXY":    {len(Encode(SynProxy{})), 8},
		"TPROXY 1":    {len(Encode(TProxy{})), 32},
		"HMARK":       {len(Encode(HMark{})), 64},
		"IDLETIMER 1": {len(Encode(IdleTimer{})), 48},
		"LED":         {len(Encode(LED{})), 40},
		"RATEEST":     {len(Encode(RateEstimator{})), 32},
		"rateest":     {len(Encode(RateEst{})), 72},
		"SNPT, DNPT":  {len(Encode(NPT{})), 40},
		"socket 3":    {len(Encode(Socket{})), 8},
		"helper":      {len(Encode(Helper{})), 40},
		"nfacct 1":    {len(Encode(NFAcct{})), 40},
		"osf":         {len(Encode(OSF{})), 48},
		"physdev":     {len(Encode(PhysDev{})), 72},
		"ipvs":        {len(Encode(IPVS{})), 40},
		"policy":      {len(Encode(Policy{})), 312},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, tc.got, tc.want)
		}
	}
}
