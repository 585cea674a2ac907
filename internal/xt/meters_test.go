package xt

import "testing"

// Sizes are those of the kernel's structs rounded up to 8 (what the kernel takes).
func TestSizesOfMetersAndSearchesAreTheKernels(t *testing.T) {
	for name, tc := range map[string]struct{ got, want int }{
		"recent":        {len(Encode(Recent{})), 232},
		"string":        {len(Encode(Search{})), 160},
		"time":          {len(Encode(Time{})), 24},
		"hashlimit":     {len(Encode(Hashlimit{})), 312},
		"connlimit":     {len(Encode(Connlimit{})), 32},
		"connbytes":     {len(Encode(Connbytes{})), 24},
		"bpf":           {len(Encode(BPF{})), 528},
		"bpf, a path":   {len(Encode(BPFPath{})), 528},
		"cgroup":        {len(Encode(Cgroup{})), 528},
		"cgroup, an id": {len(Encode(CgroupID{})), 528},
		"cluster":       {len(Encode(Cluster{})), 16},
		"connlabel":     {len(Encode(Connlabel{})), 8},
		"cpu":           {len(Encode(CPU{})), 8},
		"devgroup":      {len(Encode(Devgroup{})), 24},
		"quota":         {len(Encode(Quota{})), 24},
		"u32":           {len(Encode(U32{})), 1984},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d bytes, want %d", name, tc.got, tc.want)
		}
	}
}
